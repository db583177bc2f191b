/**
 * Renders a mail as plain text and as simple HTML. The texts come from the catalogue; every address is made of the
 * issuer and a path of this server.
 */
import { duration } from '../base/duration.ts';
import type { Letter, LetterKind, Message } from '../core/mail/mailer.ts';

/** The text catalogue, as the pages use it. */
interface Catalogue {
  readonly locales: readonly string[];
  text(locale: string, key: string, values?: Readonly<Record<string, string | number>>): string;
  direction(locale: string): 'ltr' | 'rtl';
}

/** Mails without a link, or with a link that carries no secret. */
const plainLinks: readonly LetterKind[] = [
  'address-known',
  'email-changed',
  'password-changed',
  'factor-added',
  'factor-removed',
  'identity-linked',
  'identity-unlinked',
  'account-deleted',
  'sign-in-code',
  'new-sign-in',
  'access-ended',
];

/** `#rrggbb`. */
interface Button {
  readonly fill: string;
  readonly text: string;
}

export function createWording(deps: {
  /** Called with the first letter. */
  catalogue: () => Catalogue;
  issuer: string;
  brandName: string;
  /** The brand's colours. */
  button?: Button | undefined;
}) {
  let read: Catalogue | undefined;
  const button = deps.button ?? { fill: '#3b5bdb', text: '#ffffff' };
  return (letter: Letter): Message => {
    read ??= deps.catalogue();
    const catalogue = read;
    const locale = catalogueLocale(letter.locale, catalogue.locales);
    const brand = deps.brandName;
    const values = {
      brand,
      issuer: deps.issuer,
      ...letter.values,
      ...(letter.seconds !== undefined && { wait: duration(letter.seconds, locale) }),
    };
    const say = (key: string) => catalogue.text(locale, key, values);
    const { kind } = letter;
    const link = letter.path === undefined ? undefined : `${deps.issuer}${letter.path}`;
    const parts = {
      text: say(`mail.${kind}.text`),
      link: link === undefined ? undefined : { to: link, words: say(`mail.${kind}.button`) },
      // A mail with a requested link may be ignored; a mail about a change may not.
      end: say(plainLinks.includes(kind) ? 'mail.end.notice' : 'mail.end.link'),
    };
    return {
      kind,
      to: letter.to,
      locale,
      link,
      // One line, so that a name cannot add mail headers (CWE-93).
      subject: say(`mail.${kind}.subject`).replace(/[\p{Cc}\u2028\u2029]+/gu, ' '),
      text: [
        parts.text,
        ...(parts.link ? [`${parts.link.words}:\n${parts.link.to}`] : []),
        parts.end,
        `${brand}\n${deps.issuer}\n`,
      ].join('\n\n'),
      html: html(parts, { brand, issuer: deps.issuer, locale, dir: catalogue.direction(locale), button }),
    };
  };
}

/** Loads nothing, tracks nothing, and is readable without styles. */
function html(
  { text, link, end }: { text: string; link: { to: string; words: string } | undefined; end: string },
  about: { brand: string; issuer: string; locale: string; dir: string; button: Button },
): string {
  const paragraph = (words: string, style = 'margin:0 0 20px') => `<p style="${style}">${escaped(words)}</p>`;
  return `<!doctype html>
<html lang="${escaped(about.locale)}" dir="${about.dir}">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escaped(about.brand)}</title></head>
<body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
<div style="max-width:480px;margin:0 auto">
${text
  .split('\n\n')
  .map((words) => paragraph(words))
  .join('\n')}
${link === undefined ? '' : linked(link, about.button)}
${paragraph(end, 'margin:0 0 20px;font-size:14px')}
<p style="margin:0;font-size:14px"><a href="${escaped(about.issuer)}">${escaped(about.brand)}</a></p>
</div>
</body>
</html>
`;
}

function linked({ to, words }: { to: string; words: string }, button: Button): string {
  const address = escaped(to);
  return `<p style="margin:0 0 20px"><a href="${address}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:${button.fill};color:${button.text};font-weight:600;text-decoration:none">${escaped(words)}</a></p>
<p style="margin:0 0 20px;font-size:13px;overflow-wrap:anywhere" dir="ltr"><a href="${address}">${address}</a></p>`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

/** If the account's language has no catalogue, uses a wider one (`de` for `de-AT`), or English. */
function catalogueLocale(tag: string, locales: readonly string[]): string {
  for (let range = tag.toLowerCase(); range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    if (locales.includes(range)) return range;
  }
  return 'en';
}
