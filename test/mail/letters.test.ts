/** A letter in words: what people and other programs have named themselves stays what it is, text. */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { mailNames, sampleLetter } from '../../dev/gallery/mails.ts';
import { type LetterKind, letterKinds, type Message } from '../../src/core/mail/mailer.ts';
import { createWording } from '../../src/mail/letters.ts';
import { openMailLook } from '../../src/pages/kit/mail/mail-look.ts';

const issuer = 'https://id.example.com';
const links = { privacy: 'https://example.com/privacy', support: 'mailto:help@example.com' };
const word = createWording({
  issuer,
  brandName: 'Example',
  look: async () => openMailLook({ issuer, brand: { name: 'Example', links } }),
});
const languages = ['en', 'de', 'ar'];

async function sample(name: string, locale = 'en'): Promise<Message> {
  const letter = sampleLetter(name, locale);
  if (!letter) throw new Error(`no sample ${name}`);
  return word(letter);
}
let all: readonly { readonly name: string; readonly locale: string; readonly message: Message }[] = [];
beforeAll(async () => {
  const rows = mailNames.flatMap((name) => languages.map((locale) => ({ name, locale })));
  all = await Promise.all(rows.map(async (row) => ({ ...row, message: await sample(row.name, row.locale) })));
});
const namesOf = (rows: typeof all) => rows.map(({ name, locale }) => `${name}, ${locale}`);
const linked = (provider: string, username = 'ada') =>
  word({
    kind: 'identity-linked',
    to: 'ada@example.org',
    locale: 'en',
    path: '/account/identities',
    values: { provider },
    facts: { username, at: 1_773_324_300 },
  });

describe('names', () => {
  test('a line break in a name is none in the subject, which is a header of the mail', async () => {
    const { subject } = await linked('Works\r\nBcc: thief@evil.example\u2028');
    expect(subject).toBe('Works Bcc: thief@evil.example was connected to your account at Example');
  });

  test('a line break in a text of a deployment’s own is none in the subject either', async () => {
    const broken = createWording({
      issuer,
      brandName: 'Example\r\nBcc: thief@evil.example',
      look: async () => openMailLook({ issuer, brand: { name: 'Example' } }),
    });
    expect((await broken({ kind: 'confirm-email', to: 'ada@example.org', locale: 'en' })).subject).not.toMatch(
      /[\r\n]/,
    );
  });

  test('markup in a name is text in the HTML', async () => {
    const { text, html } = await linked('<img src="https://evil.example">', '<a href="https://evil.example">ada</a>');
    expect(text).toContain('<img src="https://evil.example">');
    expect(html).not.toMatch(/<img|<a href="https:\/\/evil/);
    expect(html).toContain('&lt;img src=&#34;https://evil.example&#34;&gt;');
  });

  test('a name is no text of its own: it is short, on one line, and turns nothing round', async () => {
    const { text, subject } = await linked(
      `Your account is locked.\n\n\u202eCall +1 555 0100 \u2069now ${'x'.repeat(500)}`,
    );
    expect(subject.length).toBeLessThan(200);
    expect(text).toContain('An account at Your account is locked. Call +1 555 0100 now xxx');
    expect(text + subject).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(500);
  });
});

describe('every kind', () => {
  test('has a sample', () => {
    const seen = new Set<LetterKind | undefined>(mailNames.map((name) => sampleLetter(name, 'en')?.kind));
    expect(letterKinds.filter((kind) => !seen.has(kind))).toEqual([]);
  });

  test('has a plain text that says what its HTML says', () => {
    const missing = all.flatMap(({ name, locale, message: { html, text } }) => {
      const told = plain(text);
      // The button's address is written out once more there, and needs no sentence here.
      const note = /^(If the button|Falls der Button|إذا لم يعمل)/;
      return readable(html)
        .filter((line) => line !== '·' && !note.test(line) && !told.includes(line))
        .map((line) => `${name}, ${locale}: ${line}`);
    });
    expect(missing).toEqual([]);
  });

  test('has its link in full, and no text that was left unfilled', () => {
    const wrong = all.filter(({ message: { html, text, subject, link } }) => {
      const whole = link === undefined || text.includes(`\n${link}\n`);
      const filled = !/undefined|\{\w+\}|\bmail\.[a-z]|\[object/.test(text + subject + html);
      return !whole || !filled || /[<>]|&amp;/.test(text) || subject.length > 220 || !text.endsWith('\n');
    });
    expect(namesOf(wrong)).toEqual([]);
  });

  test('fetches nothing, runs nothing, asks for nothing and leads nowhere else', () => {
    const element = /<(img|script|link|iframe|object|form|input|svg|base|video|audio)\b|@import|url\(|@font-face/i;
    const own = /^(https:\/\/id\.example\.com(\/|$)|https:\/\/example\.com\/privacy$|mailto:help@example\.com$)/;
    const wrong = all.filter(
      ({ message: { html } }) =>
        element.test(html) ||
        /\s(src|srcset|background|on\w+)=/i.test(html) ||
        [...html.matchAll(/href="([^"]*)"/g)].some(([, to = '']) => !own.test(to)),
    );
    expect(namesOf(wrong)).toEqual([]);
  });

  test('is far smaller than the 102 KB that Gmail shows', () => {
    const large = all.filter(
      ({ message: { html, text } }) => Buffer.byteLength(html) > 20_000 || Buffer.byteLength(text) > 4000,
    );
    expect(namesOf(large)).toEqual([]);
  });

  test('the language and the direction are on the part that web mail keeps', async () => {
    expect((await sample('invitation', 'ar')).html).toMatch(
      /<html lang="ar" dir="rtl"[\s\S]*<div[^>]* lang="ar" dir="rtl"/,
    );
    expect((await sample('invitation', 'de')).html).toMatch(
      /<html lang="de" dir="ltr"[\s\S]*<div[^>]* lang="de" dir="ltr"/,
    );
  });
});

describe('what happened', () => {
  test('is told with the time of the account’s zone, the program and the address', async () => {
    expect((await sample('new-sign-in')).text).toContain(
      'Account: ada\nWhen: March 12, 2026 at 3:05 PM GMT+1\nDevice: Firefox on Windows\nIP address: 203.0.113.42\n',
    );
    expect((await sample('new-sign-in', 'de')).text).toContain(
      'Wann: 12. März 2026 um 15:05 MEZ\nGerät: Firefox auf Windows\n',
    );
  });

  test('a zone that there is not is UTC', async () => {
    const letter = sampleLetter('new-sign-in', 'en');
    if (!letter?.facts) throw new Error('no facts');
    const { text } = await word({ ...letter, facts: { ...letter.facts, zone: 'Middle/Earth' } });
    expect(text).toContain('When: March 12, 2026 at 2:05 PM UTC\n');
  });

  test('an account’s language without a catalogue has English words and an English time', async () => {
    expect(await sample('new-sign-in', 'fr')).toMatchObject({
      locale: 'en',
      text: expect.stringContaining('March 12, 2026'),
    });
  });

  test('a second factor is named, and one without a name in the catalogue by its kind', async () => {
    expect((await sample('factor-added')).subject).toBe('Passkey added to your account at Example');
    expect((await sample('factor-removed-all', 'de')).subject).toBe(
      'Alle zweiten Faktoren aus Ihrem Konto bei Example entfernt',
    );
    const letter = sampleLetter('factor-added', 'en');
    if (!letter?.facts) throw new Error('no facts');
    const { subject } = await word({ ...letter, facts: { ...letter.facts, factor: 'pigeon' } });
    expect(subject).toBe('pigeon added to your account at Example');
  });

  test('a code can be copied whole, also from a text that is read from the right', async () => {
    expect((await sample('sign-in-code')).text).toContain('\n4920 7316\n');
    expect((await sample('sign-in-code', 'ar')).text).toContain('\n49207316\n');
    expect((await sample('sign-in-code', 'ar')).html).toMatch(
      /<p [^>]*dir="ltr"[^>]*user-select:all[^>]*>4920 7316<\/p>/,
    );
  });
});

/** The words of the HTML as a person reads them, block by block, without what only a list of mails shows. */
function readable(html: string): string[] {
  const [, body = ''] = /<body[^>]*>([\s\S]*)<\/body>/.exec(html) ?? [];
  return body
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<div style="display:none[\s\S]*?<\/div>/, '')
    .replace(/<(\/?(p|h1|h2|td|th|tr|table|br|a))\b[^>]*>/g, '\n')
    .replace(/<[^>]+>/g, '')
    .split('\n')
    .map(plain)
    .filter((line) => line !== '');
}

function plain(text: string): string {
  return text
    .replace(/&nbsp;/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&#34;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/[\u2066-\u2069]/g, '')
    .replace(/(\d{4}) (\d{4})/g, '$1$2')
    .replace(/\s+/g, ' ')
    .trim();
}
