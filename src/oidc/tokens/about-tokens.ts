/**
 * Introspection (RFC 7662) and revocation (RFC 7009). The engine authenticates the client and checks the request by its
 * own rules; what is said of the token, and done to it, comes from core/tokens/tokens. The engine is shown what no
 * token can be in its place, so that it looks nothing up and never refuses a JWT. Signed answers (RFC 9701) belong
 * where the answer is given.
 */
import { parse } from 'node:querystring';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { Unavailable } from '../../base/errors.ts';
import type { Apis } from '../../core/apis/apis.ts';
import { introspectionOf } from '../../core/tokens/introspection.ts';
import type { Tokens } from '../../core/tokens/tokens.ts';
import { TemporarilyUnavailable } from '../adapter/adapter.ts';
import { routes } from '../configuration.ts';
import { nameCheck } from '../refusals/record.ts';

const placeholder = '-';

interface AboutTokensDeps {
  readonly tokens: Pick<Tokens, 'find' | 'revoke'>;
  readonly apis: Pick<Apis, 'find'>;
}

/** At the two endpoints; innermost, right around the engine. The body has been read. */
export function aboutTokens(deps: AboutTokensDeps) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const introspects = ctx.path === routes.introspection;
    const token = takeToken(ctx);
    await next();
    const { client } = ctx.oidc ?? {};
    if (token === undefined || ctx.status !== 200 || !client) return;
    try {
      if (introspects) ctx.body = introspectionOf(await deps.tokens.find(token), client.clientId, deps.apis);
      else answerRevocation(ctx, await deps.tokens.revoke(token, client.clientId));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const { status, error: code, error_description: description } = new TemporarilyUnavailable(error);
      answer(ctx, status, { error: code, error_description: description });
    }
  };
}

/** Undefined where the token is missing, empty or repeated: the engine refuses that. Read as the engine reads it. */
function takeToken({ req }: KoaContextWithOIDC): string | undefined {
  const { body } = req as { body?: unknown };
  if (typeof body !== 'string') return undefined;
  const form = parse(body);
  if (typeof form.token !== 'string' || form.token === '') return undefined;
  Object.assign(req, { body: { ...form, token: placeholder } });
  return form.token;
}

function answerRevocation(ctx: KoaContextWithOIDC, outcome: 'done' | 'full'): void {
  // JSON, which clients expect even where there is nothing to say.
  if (outcome === 'done') {
    answer(ctx, 200, {});
    return;
  }
  nameCheck(ctx, 'throttled');
  ctx.set('Retry-After', '60');
  const words = 'too many tokens of this client were revoked lately, wait until some of them have expired';
  answer(ctx, 429, { error: 'temporarily_unavailable', error_description: words });
}

function answer(ctx: KoaContextWithOIDC, status: number, body: object): void {
  ctx.status = status;
  ctx.type = 'json';
  ctx.body = body;
}
