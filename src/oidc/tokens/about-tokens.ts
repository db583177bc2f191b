/**
 * Introspection (RFC 7662) and revocation (RFC 7009). The engine authenticates the client and validates the request;
 * core/tokens/tokens handles the token. The engine sees a placeholder instead of the token, so it looks up nothing and
 * never refuses a JWT.
 */
import { parse } from 'node:querystring';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { Unavailable } from '../../base/errors.ts';
import type { Apis } from '../../core/apis/apis.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import type { Keys } from '../../core/keys/keys.ts';
import { introspectionOf } from '../../core/tokens/introspection.ts';
import type { Tokens } from '../../core/tokens/tokens.ts';
import { introspectionJwt } from '../../http/media-types.ts';
import { TemporarilyUnavailable } from '../adapter/adapter.ts';
import { routes } from '../configuration.ts';
import { nameCheck } from '../refusals/record.ts';
import { signedIntrospection, wantsSigned } from './signed-introspection.ts';

const placeholder = '-';

interface AboutTokensDeps {
  readonly tokens: Pick<Tokens, 'find' | 'revoke'>;
  readonly apis: Pick<Apis, 'find'>;
  readonly clients: Pick<CachedClients, 'find'>;
  readonly keys: Keys;
  readonly issuer: string;
}

/** Wraps the engine directly at both endpoints. The body is already read. */
export function aboutTokens(deps: AboutTokensDeps) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const introspects = ctx.path === routes.introspection;
    const token = takeToken(ctx);
    await next();
    const { client } = ctx.oidc ?? {};
    if (token === undefined || ctx.status !== 200 || !client) return;
    try {
      if (introspects) await answerIntrospection(ctx, token, client.clientId, deps);
      else answerRevocation(ctx, await deps.tokens.revoke(token, client.clientId));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const { status, error: code, error_description: description } = new TemporarilyUnavailable(error);
      answer(ctx, status, { error: code, error_description: description });
    }
  };
}

async function answerIntrospection(
  ctx: KoaContextWithOIDC,
  token: string,
  clientId: string,
  deps: AboutTokensDeps,
): Promise<void> {
  const found = introspectionOf(await deps.tokens.find(token), clientId, deps.apis);
  const client = await deps.clients.find(clientId);
  if (client === undefined || !wantsSigned(client, ctx.headers.accept)) {
    ctx.body = found;
    return;
  }
  ctx.body = signedIntrospection(found, client, deps);
  ctx.type = introspectionJwt;
}

/**
 * Parses the form as the engine does. Undefined if the token is missing, empty or repeated, which the engine refuses.
 */
function takeToken({ req }: KoaContextWithOIDC): string | undefined {
  const { body } = req as { body?: unknown };
  if (typeof body !== 'string') return undefined;
  const form = parse(body);
  if (typeof form.token !== 'string' || form.token === '') return undefined;
  Object.assign(req, { body: { ...form, token: placeholder } });
  return form.token;
}

function answerRevocation(ctx: KoaContextWithOIDC, outcome: 'done' | 'full'): void {
  // Clients expect JSON, even an empty object.
  if (outcome === 'done') {
    answer(ctx, 200, {});
    return;
  }
  nameCheck(ctx, 'throttled');
  ctx.set('Retry-After', '60');
  const words = 'too many tokens of this client were revoked recently, wait until some of them have expired';
  answer(ctx, 429, { error: 'temporarily_unavailable', error_description: words });
}

function answer(ctx: KoaContextWithOIDC, status: number, body: object): void {
  ctx.status = status;
  ctx.type = 'json';
  ctx.body = body;
}
