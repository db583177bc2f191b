/** The plain text of a mail: everything that its HTML says, for programs and people that read no HTML. */
import type { MailContent, MailLink } from '../core/mail/mail-content.ts';

export function plainText(content: MailContent): string {
  const { dir, heading, paragraphs, code, facts, button, advice, adviceFirst, links } = content;
  const told = [advice.heading, ...advice.paragraphs].join('\n');
  const pages = [...(button ? [button] : []), ...links].map(linked);
  return [
    heading,
    ...paragraphs,
    // Between right-to-left lines the two halves of a code would change places.
    ...(code === undefined ? [] : [dir === 'rtl' ? code.replaceAll(' ', '') : code]),
    ...(facts.length === 0 ? [] : [facts.map(({ name, value }) => `${name}: ${value}`).join('\n')]),
    ...(adviceFirst ? [told, ...pages] : [...pages, told]),
    foot(content),
  ].join('\n\n');
}

const linked = ({ words, to }: MailLink): string => `${words}:\n${to}`;

/** After the mark by which mail programs know a signature (RFC 3676, section 4.3). */
function foot({ reason, brand, issuer, footer }: MailContent): string {
  return ['-- ', reason, '', brand, issuer, ...footer.map(({ words, to }) => `${words}: ${to}`), ''].join('\n');
}
