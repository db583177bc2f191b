/**
 * `/oauth/userinfo` (OpenID Connect Core, section 5.3), over core/tokens. It answers before the engine, which only
 * names it in discovery. The checks: how the token was sent (400, or 401 without one), the token (401, 403), the
 * requested scopes (400, 403), the origin (400).
 *
 * Every origin may read a refusal, so that an application learns that its token has expired. Only an origin of the
 * client may read claims.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Koa, { type Context } from 'koa';
import type { Logger } from '../../base/log.ts';
import { userinfoAudience } from '../../core/apis/apis.ts';
import type { Keys } from '../../core/keys/keys.ts';
import { type CheckName, checks } from '../../core/refusals/checks.ts';
import type { Refusals } from '../../core/refusals/refusals.ts';
import { shapeOf, shown } from '../../core/refusals/shown.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { GroupStore } from '../../core/stores/groups.ts';
import type { LiveToken, RefusedToken } from '../../core/tokens/live-token.ts';
import { hasScope, type Tokens } from '../../core/tokens/tokens.ts';
import { bearerChallenge } from '../../http/authorization.ts';
import { callerOf } from '../../http/caller.ts';
import { answerPreflight, exposedHeaders, isOriginOf } from '../../http/cors.ts';
import type { IsDeveloper } from '../../http/developer.ts';
import { proofAnswer, proofChallenge } from '../../http/dpop.ts';
import { logFailure, wordsFor } from '../../http/errors.ts';
import { whyAddress, whyLink } from '../../http/why-link.ts';
import { routes } from '../configuration.ts';
import { explained } from '../refusals/record.ts';
import { type PersonToken, userinfoAnswer } from './userinfo-answer.ts';
import { readUserinfoRequest, UserinfoRefusal } from './userinfo-request.ts';

interface UserinfoDeps {
  readonly issuer: string;
  readonly tokens: Pick<Tokens, 'verifyForUserinfo' | 'nextNonce'>;
  readonly keys: Keys;
  readonly groups: Pick<GroupStore, 'namesOf'>;
  readonly refusals: Pick<Refusals, 'note'>;
  readonly isDeveloper: IsDeveloper;
  readonly log: Logger;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => Promise<void>;

/** The facts of a request at the time of its refusal. */
interface Known {
  token: string | undefined;
  client: ClientRecord | undefined;
  /** The token was sent with the scheme DPoP, or should have been. */
  proves: boolean;
}

export function createUserinfo(deps: UserinfoDeps): Handler {
  const koa = new Koa();
  koa.on('error', logFailure(deps.log));
  koa.use(async (ctx) => {
    ctx.vary('Origin');
    if (ctx.method === 'OPTIONS') {
      answerPreflight(ctx, 'GET, POST', ctx.get('Access-Control-Request-Headers'));
      return;
    }
    ctx.set({
      'Access-Control-Allow-Origin': ctx.get('Origin') || '*',
      'Access-Control-Expose-Headers': exposedHeaders,
    });
    const known: Known = { token: undefined, client: undefined, proves: false };
    try {
      await answer(ctx, deps, known);
    } catch (error) {
      refuse(ctx, deps, error, known);
    }
  });
  return koa.callback() as Handler;
}

async function answer(ctx: Context, deps: UserinfoDeps, known: Known): Promise<void> {
  const { token, possession, scope } = await readUserinfoRequest(ctx, deps.issuer + routes.userinfo);
  if (token === undefined) throw new UserinfoRefusal('invalid_token', 'no access token provided', 'token_missing');
  known.token = token;
  known.proves = possession !== undefined;
  if (known.proves) ctx.set('DPoP-Nonce', deps.tokens.nextNonce());
  const verified = await deps.tokens.verifyForUserinfo(token, possession);
  if (verified.outcome === 'refused') {
    known.client = verified.client;
    known.proves ||= verified.reason === 'bound';
    throw refusalFor(verified);
  }
  known.client = verified.client;
  requireScopes(scope, verified);
  const origin = ctx.get('Origin');
  if (origin !== '' && !isOriginOf(verified.client, origin)) {
    ctx.remove('Access-Control-Allow-Origin');
    throw new UserinfoRefusal('invalid_request', 'origin not allowed for this client', 'origin_not_allowed');
  }
  const { type, body } = await userinfoAnswer(verified as PersonToken, scope, deps);
  ctx.body = body;
  ctx.type = `${type}; charset=utf-8`;
}

function refusalFor(refused: RefusedToken): UserinfoRefusal {
  const proof = proofAnswer(refused);
  if (proof !== undefined) return new UserinfoRefusal(proof.code, proof.words, proof.check, { facts: proof.facts });
  switch (refused.reason) {
    case 'expired':
      return new UserinfoRefusal('invalid_token', 'the access token has expired', 'token_expired');
    case 'audience':
      return new UserinfoRefusal('invalid_token', 'the access token is for another API', 'token_audience');
    case 'scope':
      return insufficient('openid');
    default:
      return new UserinfoRefusal('invalid_token', 'invalid token provided', 'token_invalid');
  }
}

/** RFC 6749, section 3.3. */
const scopeSyntax = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/;

function requireScopes(asked: string | undefined, token: LiveToken): void {
  if (asked === undefined) return;
  if (!scopeSyntax.test(asked))
    throw new UserinfoRefusal('invalid_request', 'scope contains invalid characters', 'parameter_invalid');
  const missing = asked.split(' ').filter((name) => !hasScope(token, name));
  if (missing.length > 0) throw insufficient(missing.join(' '));
}

const insufficient = (scope: string) =>
  new UserinfoRefusal('insufficient_scope', 'access token missing requested scope', 'scope_insufficient', { scope });

/** RFC 6750, section 3: the challenge repeats the error, unless no token was sent. */
function refuse(ctx: Context, deps: UserinfoDeps, thrown: unknown, { token, client, proves }: Known): void {
  const { status, code, message, headers } = wordsFor(thrown, deps.log, ctx);
  const error = code === 'payload_too_large' ? 'invalid_request' : code;
  ctx.status = status;
  ctx.set(headers);
  const body = { error, error_description: message };
  ctx.body = body;
  if (!(thrown instanceof UserinfoRefusal)) return;
  const { check, scope, facts: ofProof } = thrown;
  const about = { ...body, ...(scope !== undefined && { scope }) };
  const challenge = proves ? proofChallenge : bearerChallenge;
  ctx.set(challenge(deps.issuer, check === 'token_missing' ? {} : about));
  const facts = { ...factsFor(check, ctx, token, scope, deps.issuer), ...ofProof };
  const at = { endpoint: 'userinfo', status, error, caller: callerOf(ctx) } as const;
  const who = { clientId: client?.id, known: client !== undefined };
  const reference = deps.refusals.note({ ...at, ...who, ...facts, check });
  ctx.append('Link', whyLink(deps.issuer, reference));
  const refusal = { ...checks[check], ...facts, check, reference };
  ctx.body = {
    ...about,
    error_uri: whyAddress(deps.issuer, reference),
    ...(deps.isDeveloper(ctx.req) && explained(refusal)),
  };
}

function factsFor(
  check: CheckName,
  ctx: Context,
  token: string | undefined,
  scope: string | undefined,
  issuer: string,
) {
  switch (check) {
    case 'media_type':
      return { expected: 'application/x-www-form-urlencoded', received: shown(ctx.get('Content-Type')) };
    case 'origin_not_allowed':
      return { expected: 'an origin of the redirect URIs', received: shown(ctx.get('Origin')) };
    case 'scope_insufficient':
      return { expected: shown(scope), received: shapeOf(token) };
    case 'token_audience':
      return { expected: `no API, or ${userinfoAudience(issuer)} among the aud`, received: shapeOf(token) };
    default:
      return token === undefined ? {} : { received: shapeOf(token) };
  }
}
