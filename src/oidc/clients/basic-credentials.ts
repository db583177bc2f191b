/** A client's id and secret in HTTP Basic, each form-encoded before base64 (RFC 6749, section 2.3.1). */

export interface BasicCredentials {
  readonly id: string;
  /** Empty where nothing follows the colon. */
  readonly secret: string;
  /** The base64 is whole; some readers take it without its padding, too. */
  readonly padded: boolean;
}

/** Undefined where the header holds no such pair, or one that is not properly encoded. */
export function basicCredentials(header: string): BasicCredentials | undefined {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 1) return undefined;
  try {
    const [id, secret] = [decoded(pair.slice(0, colon)), decoded(pair.slice(colon + 1))];
    return { id, secret, padded: encoded.length % 4 === 0 };
  } catch {
    return undefined;
  }
}

/** Throws where a percent sign begins no encoding. */
function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}
