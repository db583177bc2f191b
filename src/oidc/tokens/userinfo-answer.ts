/** The userinfo response (OpenID Connect Core, section 5.3.2): JSON, or signed if the client is registered for it. */
import { nowSeconds } from '../../base/clock.ts';
import { grantedBy } from '../../core/consents/granted.ts';
import { type Keys, signingAlgorithms } from '../../core/keys/keys.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { GrantRow } from '../../core/stores/engine.ts';
import type { GroupStore } from '../../core/stores/groups.ts';
import { signJwt } from '../../core/tokens/jwt.ts';
import type { LiveToken } from '../../core/tokens/live-token.ts';
import { enginePerson, scopeClaims } from './claims.ts';

export type PersonToken = LiveToken & { readonly account: Account; readonly grant: GrantRow };

type UserinfoAnswer =
  | { readonly type: 'application/json'; readonly body: object }
  | { readonly type: 'application/jwt'; readonly body: string };

interface UserinfoSources {
  readonly keys: Keys;
  readonly issuer: string;
  readonly groups: Pick<GroupStore, 'namesOf'>;
}

/** `scope`: a subset of the token's scopes. Throws `Unavailable`. */
export async function userinfoAnswer(
  token: PersonToken,
  scope: string | undefined,
  { keys, issuer, groups }: UserinfoSources,
): Promise<UserinfoAnswer> {
  const claims = await claimsFor(token, scope, groups);
  const { client } = token;
  const wanted = client.metadata.userinfo_signed_response_alg;
  const algorithm = signingAlgorithms.find((known) => known === wanted);
  if (algorithm === undefined) return { type: 'application/json', body: claims };
  const about = { aud: client.id, exp: token.claims.exp, iat: nowSeconds(), iss: issuer };
  return { type: 'application/jwt', body: signJwt(keys, undefined, { ...claims, ...about }, algorithm) };
}

/** The claims of the scopes, and those of the `claims` parameter that the user has granted. */
async function claimsFor(
  token: PersonToken,
  narrowed: string | undefined,
  groups: UserinfoSources['groups'],
): Promise<Record<string, unknown>> {
  const granted = grantedBy(token.grant);
  const scopes = (narrowed ?? token.claims.scope ?? '').split(' ').filter((name) => granted.scopes.has(name));
  const requested = token.requested === undefined ? granted.claims : namesIn(token.requested, granted.claims);
  const ofScopes: Readonly<Record<string, readonly string[]>> = scopeClaims;
  const names = new Set([...scopes.flatMap((name) => ofScopes[name] ?? []), ...requested]);
  for (const name of granted.rejected) names.delete(name);

  const person = enginePerson(token.account, {
    groupsOf: (subject) => groups.namesOf(subject),
    // Used only for ID tokens.
    idTokenClaims: () => 'minimal',
  });
  const mask = Object.fromEntries([...requested].map((name) => [name, null]));
  const all: Readonly<Record<string, unknown>> = await person.claims('userinfo', scopes.join(' '), mask);
  const told = Object.entries(all).filter(([name, value]) => names.has(name) && value !== undefined);
  // Section 5.3.2 requires `sub`. All subjects are public; this server has no pairwise ones.
  return { ...Object.fromEntries(told), sub: token.account.subject };
}

/** A claim is requested by null or an object; any other value requests nothing (section 5.5.1). */
function namesIn(requested: Readonly<Record<string, unknown>>, granted: ReadonlySet<string>): ReadonlySet<string> {
  const asked = Object.entries(requested).filter(([, how]) => typeof how === 'object' && !Array.isArray(how));
  return new Set(asked.map(([name]) => name).filter((name) => granted.has(name)));
}
