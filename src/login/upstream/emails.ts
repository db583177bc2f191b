/** Reads the primary, verified address of a person from an OAuth 2 provider that lists addresses as GitHub does. */
import type { Configuration } from 'openid-client';

type Library = typeof import('openid-client');

interface Listed {
  readonly email?: string;
  /** The reason for a missing address, for the log. */
  readonly lacking?: string;
}

const longest = 320;

/** A missing or unusable response does not stop the sign-in. */
export async function listedEmail(
  library: Library,
  config: Configuration,
  { token, address }: { readonly token: string; readonly address: string },
): Promise<Listed> {
  const headers = new Headers({ accept: 'application/json' });
  const answer = await library
    .fetchProtectedResource(config, token, new URL(address), 'GET', undefined, headers)
    .then(async (response) => (response.status === 200 ? ((await response.json()) as unknown) : undefined))
    .catch(() => undefined);
  if (!Array.isArray(answer)) return { lacking: 'the emails endpoint does not list addresses' };
  const [email] = answer.flatMap(primaryIn);
  return email === undefined ? { lacking: 'the emails endpoint lists none that is primary and verified' } : { email };
}

function primaryIn(entry: unknown): string[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { email, primary, verified } = entry as Readonly<Record<string, unknown>>;
  const usable = typeof email === 'string' && email.trim() !== '' && email.length <= longest;
  return usable && primary === true && verified === true ? [email.trim()] : [];
}
