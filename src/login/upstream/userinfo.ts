/**
 * Claims about a person from the userinfo endpoint. They are optional, because the ID token proves the identity: if the
 * endpoint is down, refuses or sends an unknown form, the sign-in continues. A response about another person ends it.
 */
import type { Configuration } from 'openid-client';
import { ProviderError } from './failure.ts';
import type { Claims } from './person.ts';

type Library = typeof import('openid-client');

interface Told {
  readonly claims: Claims;
  /** The reason for missing claims, for the log. */
  readonly lacking?: string;
}

/** Throws `ProviderError` if the response names another `sub` (OpenID Connect Core, section 5.3.2). */
export async function userinfoOf(
  library: Library,
  config: Configuration,
  { token, subject }: { readonly token: string; readonly subject: string },
): Promise<Told> {
  const address = new URL(config.serverMetadata().userinfo_endpoint ?? '');
  const headers = new Headers({ accept: 'application/json' });
  const answer = await library
    .fetchProtectedResource(config, token, address, 'GET', undefined, headers)
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch((error: unknown) => ({ status: statusOf(error), text: '' }));
  if (answer.status !== 200) return without(answer.status === 0 ? 'does not answer' : `answers ${answer.status}`);
  const json = objectIn(answer.text);
  // A signed response is not read, except for its `sub`: a different one ends the sign-in.
  const claims = json ?? objectIn(Buffer.from(answer.text.split('.')[1] ?? '', 'base64url').toString());
  if (claims?.sub !== undefined && claims.sub !== subject)
    throw new ProviderError('userinfo names another sub than the ID token');
  if (json === undefined) return without('answers with something else than JSON');
  return json.sub === subject ? { claims: json } : without('names no sub');
}

const without = (what: string): Told => ({ claims: {}, lacking: `the userinfo endpoint ${what}` });

/** The library throws if a response has a challenge. 0: no response. */
function statusOf(error: unknown): number {
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  return typeof status === 'number' ? status : 0;
}

function objectIn(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined;
  } catch {
    return undefined;
  }
}
