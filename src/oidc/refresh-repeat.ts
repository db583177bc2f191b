/**
 * A refresh token that was just replaced returns its replacement again: for a lost response, and for programs that
 * share one stored token. Only to a request for the same scope, resource and DPoP key as the one that replaced it. The
 * engine has checked the client, the grant and the key of a bound token before.
 */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { addressNetwork } from '../core/kernel/throttle-keys.ts';
import type { EngineStore, Shared } from '../core/stores/engine.ts';
import { callerOf } from '../http/caller.ts';
import { nameCheck } from './refusals/record.ts';
import type { Repeat, RequestUnit } from './request-unit.ts';

interface RepeatDeps {
  readonly engine: Pick<EngineStore, 'commit'>;
  /** The replacement went out more than three times, or to a second network. At most once per token. */
  readonly onShared: (ctx: KoaContextWithOIDC, shared: Shared) => void;
}

/**
 * Answers with the replacement, and keeps the new access token. Returns false if the request is refused, with its check
 * named: it differs from the first, or the grant has ended.
 */
export async function repeated(
  { engine, onShared }: RepeatDeps,
  ctx: KoaContextWithOIDC,
  unit: RequestUnit,
  { key, successor }: Repeat,
): Promise<boolean> {
  const replacing = replacingOf(ctx);
  if (successor.asked !== replacing.asked) {
    nameCheck(ctx, 'refresh_differs');
    return false;
  }
  const outcome = await engine.commit({
    tokens: [...unit.tokens.values()].filter((row) => row.kind !== 'RefreshToken'),
    repeat: { key, elsewhere: successor.network !== '' && successor.network !== replacing.network },
  });
  if (outcome.outcome !== 'committed') {
    nameCheck(ctx, 'refresh_ended');
    return false;
  }
  if (outcome.shared) onShared(ctx, outcome.shared);
  ctx.body = { ...(ctx.body as object), refresh_token: successor.value };
  return true;
}

/** What is sealed with a replacement. */
export function replacingOf(ctx: KoaContextWithOIDC): { readonly network: string; readonly asked: string } {
  return { network: addressNetwork(callerOf(ctx).address), asked: askedOf(ctx) };
}

/** Scope, resource and DPoP key, as far as they are not those of the refresh token itself. Empty for most requests. */
function askedOf({ oidc }: KoaContextWithOIDC): string {
  const { RefreshToken: token, AccessToken: access } = oidc.entities;
  if (token === undefined || access === undefined) return '';
  const scopes = oidc.params?.scope ? [...oidc.requestParamScopes].sort() : [];
  const all = scopes.length === token.scopes.size && scopes.every((scope) => token.scopes.has(scope));
  const scope = all ? '' : scopes.join(' ');
  const resource = String(access.aud ?? '') === String(token.resource ?? '') ? '' : String(access.aud ?? '-');
  const key = access.jkt === token.jkt ? '' : (access.jkt ?? '-');
  return scope === '' && resource === '' && key === '' ? '' : JSON.stringify([scope, resource, key]);
}
