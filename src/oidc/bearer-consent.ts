/**
 * What the bearer of a first-party token may consent to in its person's place (oidc/on-behalf). A password alone opens such
 * a session, and no page tells the person what is asked for: so only for applications that people have registered for
 * themselves, and only who the person is.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Apis } from '../core/apis.ts';
import { engineScopes } from './scopes.ts';

const ownScopes: readonly string[] = ['openid', 'profile', 'email'];

export interface BearerConsentDeps {
  readonly apis: Pick<Apis, 'list'>;
  readonly userApi: string;
}

/** The scopes of an API that are allowed without a page; undefined: none. The one place to mark those of another API. */
function bearerScopes(api: ReturnType<Apis['list']>[number], userApi: string): readonly string[] | undefined {
  return api.identifier === userApi ? api.scopes.map(({ name }) => name) : undefined;
}

/** Throws `unauthorized_client`. */
export function requireOwnApplication({ oidc }: KoaContextWithOIDC): void {
  if (oidc.client?.made_by_person === true) return;
  throw new errors.UnauthorizedClient('only a person in a browser may allow this client anything');
}

/** Throws `unauthorized_client`, `invalid_target` or `invalid_scope`: the application hears of all three. */
export function checkBearerConsent(ctx: KoaContextWithOIDC, { apis, userApi }: BearerConsentDeps): void {
  requireOwnApplication(ctx);
  const { oidc } = ctx;
  const all = apis.list();
  const allowed = new Map(
    all.flatMap((api): [string, readonly string[]][] => {
      const scopes = bearerScopes(api, userApi);
      return scopes ? [[api.identifier, scopes]] : [];
    }),
  );
  const named = [ctx.query.resource ?? []].flat();
  if (named.some((api) => api !== '' && !allowed.has(api)))
    throw new errors.InvalidTarget('only a person in a browser may allow a client this API');
  const known = new Set([...engineScopes, ...all.flatMap(({ scopes }) => scopes.map(({ name }) => name))]);
  const granted = new Set([...ownScopes, ...[...allowed.values()].flat()]);
  // As they were sent: the engine has dropped some of them from its own copy already.
  const asked = String(ctx.query.scope ?? '').split(' ');
  const refused = asked.filter((scope) => known.has(scope) && !granted.has(scope));
  if (refused.length > 0)
    throw new errors.InvalidScope('only a person in a browser may allow a client this scope', refused.join(' '));
  if (Object.keys(oidc.resourceServers ?? {}).some((api) => !allowed.has(api)))
    throw new errors.InvalidTarget('only a person in a browser may allow a client this API');
}
