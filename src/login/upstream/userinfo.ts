/**
 * What a provider tells of a person beside the ID token. It is good to have: the ID token has proved who it is, so an endpoint that is
 * away, refuses, or answers in a form that is not read here keeps no one out. One that names another person does.
 */
import type { Configuration } from 'openid-client';
import { ProviderError } from './failure.ts';
import type { Claims } from './person.ts';

type Library = typeof import('openid-client');

export interface Told {
  readonly claims: Claims;
  /** Why there are none, for the log. */
  readonly lacking?: string;
}

/** Throws `Odd` where the answer names another `sub` (OpenID Connect Core, section 5.3.2). */
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
  // A signed answer is not read; whom it names is, since that can only keep a person out.
  const claims = json ?? objectIn(Buffer.from(answer.text.split('.')[1] ?? '', 'base64url').toString());
  if (claims?.sub !== undefined && claims.sub !== subject)
    throw new ProviderError('userinfo names another sub than the ID token');
  if (json === undefined) return without('answers with something else than JSON');
  return json.sub === subject ? { claims: json } : without('names no sub');
}

const without = (what: string): Told => ({ claims: {}, lacking: `the userinfo endpoint ${what}` });

/** The library throws where an answer has a challenge. 0: there is no answer. */
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
