/** Every form in every state: what a person without scripts, with a password manager or with a screen reader depends on. */
import { describe, expect, test } from '@jest/globals';
import type { ViewState } from '../../../src/pages/kit/state.ts';
import { states } from '../../../src/pages/states.ts';
import { renderer } from './rendered.ts';

const show = ({ view, locals }: ViewState): string => renderer.render(view, locals, { locale: 'en' });

interface Field {
  readonly tag: string;
  readonly type: string;
  of(attribute: string): string | undefined;
  has(attribute: string): boolean;
}

/** What somebody types into or chooses from, in the order of the page. */
const fieldsOf = (html: string): Field[] =>
  (html.match(/<(?:input|select|textarea)\b[^>]*>/g) ?? [])
    .filter((tag) => !tag.includes('type="hidden"'))
    .map((tag) => ({
      tag,
      type: /\stype="([^"]+)"/.exec(tag)?.[1] ?? 'select',
      of: (attribute) => new RegExp(`\\s${attribute}="([^"]*)"`).exec(tag)?.[1],
      has: (attribute) => new RegExp(`\\s${attribute}(?=[\\s=>])`).test(tag),
    }));
const typedInto = ({ type }: Field): boolean => ['text', 'email', 'password'].includes(type);
const title = (html: string): string => /<title>([^<]+)<\/title>/.exec(html)?.[1] ?? '';
/** What the server shows before any script has run. */
const withoutScripts = (html: string): string =>
  html.replaceAll(/<(form|section|button|p|div)\b[^>]*\shidden(?=[\s>])[^>]*>.*?<\/\1>/gs, '');

/** What browsers and password managers know a field by (HTML, 4.10.18.7). */
const autocomplete: Readonly<Record<string, readonly string[]>> = {
  username: ['username', 'username webauthn', 'off'],
  email: ['email'],
  password: ['current-password', 'new-password'],
  current: ['current-password'],
  new_password: ['new-password'],
  first_name: ['given-name'],
  last_name: ['family-name'],
  code: ['one-time-code'],
  email_code: ['one-time-code'],
  recovery_code: ['off'],
  user_code: ['off'],
  zoneinfo: ['off'],
  postal_code: ['postal-code'],
  locality: ['address-level2'],
  region: ['address-level1'],
  country: ['country-name'],
  // Of a factor, not of a person.
  name: ['off'],
};

/** Developers' pages: the parts by themselves, and forms that only a script can send. */
const ofDevelopers = ['components', 'openapi-api'];
const shownToPeople = states.filter(({ view }) => !ofDevelopers.includes(view));

describe.each(shownToPeople.map((state) => [state.name, state] as const))('%s', (_, state) => {
  const html = show(state);
  const fields = fieldsOf(html);
  const wrong = fields.filter((field) => field.of('aria-invalid') === 'true');

  test('each field has a label, a name and a type that a phone understands', () => {
    for (const field of fields) {
      const labelled =
        field.type === 'checkbox'
          ? html.includes(`<label class="tick">${field.tag}`)
          : html.includes(`<label for="${field.of('id')}">`);
      expect([field.tag, labelled]).toEqual([field.tag, true]);
      if (!field.has('readonly')) expect(field.of('name')).toBeTruthy();
      if (!typedInto(field)) continue;
      if (field.has('readonly')) {
        if (field.type === 'text') expect([field.tag, field.of('autocomplete')]).toEqual([field.tag, 'username']);
        continue;
      }
      expect([field.tag, autocomplete[field.of('name') ?? '']]).toEqual([
        field.tag,
        expect.arrayContaining([field.of('autocomplete')]),
      ]);
      if (field.of('autocomplete') === 'one-time-code') expect(field.of('inputmode')).toBe('numeric');
      // Whichever way the page runs, what is typed runs its own.
      if (field.type !== 'password') expect(field.of('dir')).toMatch(/^(auto|ltr)$/);
    }
  });

  test('what is wrong is said with the field, the first wrong field has the focus, and the title says so', () => {
    for (const field of wrong) {
      const about = (field.of('aria-describedby') ?? '').split(' ');
      const said = about.some((id) => new RegExp(`class="(?:wrong|note bad)"[^>]* id="${id}"`).test(html));
      expect([field.tag, said]).toEqual([field.tag, true]);
    }
    const focused = html.match(/<\w+\b[^>]*\sautofocus(?=[\s>])[^>]*>/g) ?? [];
    expect(focused.length).toBeLessThan(2);
    if (wrong.length > 0) {
      expect(focused).toHaveLength(1);
      // A name and a password that do not match are both marked; it is the password that is empty again.
      expect(wrong.find(({ tag }) => tag === focused[0])).toBeDefined();
      if (!wrong.every((field) => field.of('aria-describedby')?.startsWith('problem')))
        expect(focused[0]).toBe(wrong[0]?.tag);
      expect(title(html)).toMatch(/^Problem: /);
    }
    // Loud when it is bad, and only then.
    for (const [note] of html.matchAll(/<div class="note (?:bad|good)"[^>]*>/g))
      expect(note).toContain(note.includes('note bad') ? 'role="alert"' : 'role="status"');
  });

  test('works without scripts, and shows nothing that would need one', () => {
    const shown = withoutScripts(html);
    expect(shown.match(/<button\b[^>]*type="button"[^>]*>/g) ?? []).toEqual([]);
    for (const [form] of shown.matchAll(/<form\b.*?<\/form>/gs)) {
      // The engine writes the form of logging out, and fills in where it goes. A device's code only opens its page.
      expect(form).toMatch(/^<form (?=method="get" action="\/device"|[^>]*\bmethod="post")[^>]*\baction="[/#]/);
      const id = /^<form\b[^>]*\sid="([^"]+)"/.exec(form)?.[1];
      const pressed = form.includes('type="submit"') || (id !== undefined && shown.includes(` form="${id}"`));
      expect([form, pressed]).toEqual([form, true]);
    }
  });
});

test('a field for a code takes as many digits as that code has, together or apart, and no others', () => {
  const typed = {
    code: ['123456', ' 123 456 ', '١٢٣٤٥٦'],
    email_code: ['12345678', '1234-5678', '\u20681234 5678\u2069'],
  };
  const all = Object.values(typed).flat();
  const fields = states.flatMap((state) => fieldsOf(show(state))).filter((field) => field.has('pattern'));
  expect(new Set(fields.map((field) => field.of('name')))).toEqual(new Set(Object.keys(typed)));
  for (const field of fields) {
    // As browsers read it (HTML, 4.10.5.3.6).
    const pattern = new RegExp(`^(?:${field.of('pattern')})$`, 'v');
    const taken = all.filter((text) => pattern.test(text));
    expect([field.tag, taken]).toEqual([field.tag, typed[field.of('name') as keyof typeof typed]]);
  }
});

test('the title says what the page is for, as its heading does, and then whose it is', () => {
  for (const state of states) {
    const html = show(state);
    const heading = /<h1>(.*?)<\/h1>/s.exec(html)?.[1]?.replaceAll(/<\/?bdi>/g, '') ?? '';
    const wanted = state.view === 'welcome' ? 'Gatehouse' : `${heading} · Gatehouse`;
    expect([state.name, title(html).replaceAll(/^Problem: |[\u2068\u2069]/g, '')]).toEqual([state.name, wanted]);
  }
});

test('no two pages are called the same, unless they say the same', () => {
  const views = Object.entries(Object.groupBy(states, (state) => title(show(state)).replace(/^Problem: /, '')))
    .map(([, named = []]) => [...new Set(named.map(({ view }) => view))].sort())
    .filter((named) => named.length > 1);
  expect(views.sort()).toEqual([
    // On the way through a sign-in, and from the account.
    ['account-app', 'enrol-app'],
    ['account-codes', 'enrol-codes'],
    ['account-identity', 'upstream-connect'],
    // Of an invitation or a mail, and of a sign-in.
    ['notice', 'stale'],
  ]);
});
