/**
 * Words a letter: its subject, its plain text and its HTML. The texts come from the catalogue, the HTML from the view
 * of mails; every address is made of the issuer and a path of this server.
 */
import { duration } from '../base/duration.ts';
import type { MailContent, MailLink } from '../core/mail/mail-content.ts';
import type { Letter, LetterFacts, Message } from '../core/mail/mailer.ts';
import { letterForms } from './letter-forms.ts';
import { plainText } from './plain-text.ts';

/** The text catalogue, as the pages use it. */
interface Catalogue {
  readonly locales: readonly string[];
  text(locale: string, key: string, values?: Readonly<Record<string, string | number>>): string;
  direction(locale: string): 'ltr' | 'rtl';
}

/** What mails look like: the same brand, texts and templates as the pages. */
interface MailLook {
  readonly catalogue: Catalogue;
  /** The links of the brand. `name`: the last part of the key of its words. */
  readonly links: readonly { readonly name: string; readonly to: string }[];
  /** Renders the HTML. */
  html(content: MailContent): string;
}

export function createWording(deps: {
  readonly issuer: string;
  readonly brandName: string;
  /** Called with the first letter, so that a start does not wait for it. */
  readonly look: () => Promise<MailLook>;
}) {
  let opened: MailLook | undefined;
  return async (letter: Letter): Promise<Message> => {
    opened ??= await deps.look();
    const content = contentOf(letter, deps, opened);
    return {
      kind: letter.kind,
      to: letter.to,
      locale: content.locale,
      subject: content.subject,
      link: content.button?.to,
      text: plainText(content),
      html: opened.html(content),
    };
  };
}

function contentOf(
  letter: Letter,
  { issuer, brandName: brand }: { readonly issuer: string; readonly brandName: string },
  { catalogue, links }: Pick<MailLook, 'catalogue' | 'links'>,
): MailContent {
  const { kind, path, facts, seconds } = letter;
  const form = letterForms[kind];
  const locale = catalogueLocale(letter.locale, catalogue.locales);
  const dir = catalogue.direction(locale);
  const given = Object.entries(letter.values ?? {}).map(([name, value]) => [name, oneLine(value)]);
  const values: Record<string, string> = { brand, ...Object.fromEntries(given) };
  if (seconds !== undefined) values.wait = duration(seconds, locale);
  const say = (key: string, more?: Readonly<Record<string, string>>) =>
    catalogue.text(locale, key, { ...values, ...more });
  if (facts?.factor !== undefined) values.factor = factorName(facts.factor, say);
  const own = (part: string) => say(`mail.${kind}.${part}`);
  return {
    locale,
    dir,
    brand,
    issuer,
    // One line, so that a name cannot add mail headers (CWE-93).
    subject: own('subject').replace(/[\p{Cc}\u2028\u2029]+/gu, ' '),
    preview: own('preview'),
    heading: own('heading'),
    paragraphs: paragraphs(own('text')),
    code: values.code,
    facts: facts ? factRows(facts, { locale, dir, say }) : [],
    button: path === undefined ? undefined : { words: own('button'), to: `${issuer}${path}` },
    addressNote: say('mail.address'),
    advice: { heading: say(`mail.advice.${form.advice}`), paragraphs: paragraphs(own('advice')) },
    adviceFirst: form.advice !== 'link',
    links: Object.entries(form.links ?? {}).map(
      ([part, page]): MailLink => ({ words: own(part), to: `${issuer}${page}` }),
    ),
    reason: say(`mail.reason.${form.reason}`),
    footer: links.map(({ name, to }): MailLink => ({ words: say(`footer.${name}`), to })),
  };
}

type Say = (key: string, more?: Readonly<Record<string, string>>) => string;

function factRows(
  facts: LetterFacts,
  { locale, dir, say }: Pick<MailContent, 'locale' | 'dir'> & { readonly say: Say },
): MailContent['facts'] {
  const [program, system] = [oneLine(facts.program), oneLine(facts.system)];
  // U+2068 and U+2069 keep the parts of a name or an address in their order, as in the texts of the catalogue.
  const alone = (value: string) => (value && dir === 'rtl' ? `\u2068${value}\u2069` : value);
  const rows: Readonly<Record<string, string | undefined>> = {
    account: alone(oneLine(facts.username)),
    time: timeOf(facts, locale),
    device: program && system ? say('mail.device', { program, system }) : alone(program || system),
    address: alone(oneLine(facts.address)),
    actor: facts.byAdmin ? say('mail.fact.admin') : undefined,
  };
  return Object.entries(rows).flatMap(([name, value]) => (value ? [{ name: say(`mail.fact.${name}`), value }] : []));
}

/** Falls back to the kind itself, for a method without a name in the catalogue. */
function factorName(factor: string, say: Say): string {
  const name = say(`mail.factor.${factor}`);
  return name === `mail.factor.${factor}` ? factor : name;
}

/** In the account's time zone, if it is one. */
function timeOf({ at, zone }: LetterFacts, locale: string): string {
  const form = {
    ...({ year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit' } as const),
    timeZoneName: 'short',
  } as const;
  return new Intl.DateTimeFormat(locale, { ...form, timeZone: isZone(zone) ? zone : 'UTC' }).format(at * 1000);
}

function isZone(zone: string | undefined): zone is string {
  if (zone === undefined) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const paragraphs = (text: string): readonly string[] => text.split('\n\n');

/**
 * A name for one line, without control and bidirectional formatting characters, and shortened: a mail must not be
 * another person's text.
 */
function oneLine(value = ''): string {
  const longest = 120;
  const letters = Array.from(
    value
      .slice(0, longest * 8)
      .toWellFormed()
      .replace(/[\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]/g, '')
      .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
      .replace(/(\p{M}{3})\p{M}+/gu, '$1')
      .trim(),
  );
  return letters.length > longest ? `${letters.slice(0, longest - 1).join('')}…` : letters.join('');
}

/** If the account's language has no catalogue, uses a wider one (`de` for `de-AT`), or English. */
function catalogueLocale(tag: string, locales: readonly string[]): string {
  for (let range = tag.toLowerCase(); range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    if (locales.includes(range)) return range;
  }
  return 'en';
}
