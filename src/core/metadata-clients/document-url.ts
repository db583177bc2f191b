/** Client ids that are the address of a document (draft-ietf-oauth-client-id-metadata-document, section 3). */

/** Stored ids are at most 255 characters long. */
const longest = 255;

/** Ids that this server makes, and those of registered clients, have no colon. */
export const isDocumentUrl = (id: string): boolean => id.startsWith('https://');

/** Why the address cannot be a client id, or undefined. Ids are compared as plain strings, so one form is accepted. */
export function documentUrlMistake(id: string): string | undefined {
  if (id.length > longest) return `It must not be longer than ${longest} characters.`;
  const [, authority = '', rest = ''] = /^https:\/\/([^/?#]*)(.*)$/s.exec(id) ?? [];
  if (!/^[\x21-\x7e]+$/.test(id) || id.includes('\\'))
    return 'It must be printable ASCII without spaces and backslashes.';
  const url = URL.parse(id);
  if (!url) return 'It must be a URL.';
  if (authority.includes('@')) return 'It must not contain credentials.';
  if (rest.includes('#')) return 'It must not have a fragment.';
  if (rest.includes('?')) return 'It must not have a query.';
  if (rest === '' || rest === '/') return 'It must have a path.';
  // The parser resolves dot segments, encoded ones too; it changes nothing else in the path.
  if (url.pathname !== rest) return 'Its path must be in its normal form, without dot segments.';
  if (url.host !== authority && `${url.host}:443` !== authority) return 'Its host must be in its normal form.';
  return undefined;
}
