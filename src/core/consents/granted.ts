/** The scopes and claims of OpenID Connect that a user granted a client, as the engine stores them in the grant. */
import type { GrantRow } from '../stores/engine.ts';

interface Named {
  readonly scope?: string;
  readonly claims?: readonly string[];
}

interface Granted {
  readonly scopes: ReadonlySet<string>;
  readonly claims: ReadonlySet<string>;
  /** Claims that the user excluded, even if a granted scope includes them. */
  readonly rejected: ReadonlySet<string>;
}

export function grantedBy({ payload }: Pick<GrantRow, 'payload'>): Granted {
  const { openid, rejected }: { openid?: Named; rejected?: { openid?: Named } } = JSON.parse(payload);
  const out = new Set(rejected?.openid?.claims);
  const withoutScopes = new Set(rejected?.openid?.scope?.split(' ').filter((scope) => scope !== 'openid'));
  return {
    scopes: new Set(openid?.scope?.split(' ').filter((scope) => !withoutScopes.has(scope))),
    claims: new Set(openid?.claims?.filter((claim) => !out.has(claim))),
    rejected: out,
  };
}
