/**
 * `/authorize`: issues a code for a client if the request has a person's token; the call is their consent. A request
 * without a token is redirected to the browser flow. Order: the token (401), the form of the parameters (400), then the
 * engine's checks: an unknown client or redirect URI is 400 and never a redirect; later errors go to the client.
 */
import type { Context } from 'koa';
import { Refusal } from '../../base/errors.ts';
import { bearerChallenge, bearerOf } from '../../http/authorization.ts';
import { hasBody } from '../../http/body.ts';
import { callerOf } from '../../http/caller.ts';
import type { Row } from '../kit/endpoints.ts';
import { operation, type Read, schemasOf } from '../kit/operation.ts';
import type { SurfaceDeps } from '../kit/surface.ts';

const { authorization: parameters } = schemasOf(() => import('./shapes.ts'));
type Parameters = Readonly<Record<string, string | undefined>>;

const loginPage = '/oauth/authorize';
/** Leaves room for cookies in the request that follows the redirect. */
const longestAddress = 12_288;

/** The account and session of the request's token. Throws `Refusal`. */
export async function requirePerson(ctx: Context, { apiSessions, config }: SurfaceDeps) {
  const bearer = bearerOf(ctx.req);
  const verified = bearer.outcome === 'token' ? await apiSessions.verify('tinyoauth', bearer.token) : undefined;
  if (verified?.outcome === 'valid') return verified;
  throw notSignedIn(config.issuer, bearer.outcome !== 'none');
}

/** The challenge has an error only if a token was sent (RFC 6750, section 3). */
export const challenge = (issuer: string, sent = false) =>
  bearerChallenge(`${issuer}/protected`, sent ? { error: 'invalid_token' } : {});
const notSignedIn = (issuer: string, sent: boolean) =>
  new Refusal('unauthorized', 'a live token from /login is needed', challenge(issuer, sent));

function redirect(ctx: Context, status: 302 | 303, location: string): void {
  if (location.length > longestAddress) throw new Refusal('payload_too_large', 'the request is too long');
  ctx.body = null;
  ctx.status = status;
  ctx.set('Location', location);
}

/**
 * The contract leaves open where a POST has its parameters: body or query, each at most once (RFC 6749, section 3.1).
 */
async function parametersOf(ctx: Context, read: Read<Parameters, Parameters>): Promise<Parameters> {
  const query = await read.query();
  const body = hasBody(ctx.req) ? await read.body() : {};
  const twice = Object.keys(body).find((name) => body[name] !== undefined && query[name] !== undefined);
  if (twice !== undefined) throw new Refusal('invalid_request', `${twice} must be given once`);
  return { ...query, ...body };
}

export function createAuthorize(deps: SurfaceDeps): Row {
  async function answer(ctx: Context, read: () => Promise<Parameters>): Promise<void> {
    const person = bearerOf(ctx.req).outcome === 'none' ? undefined : await requirePerson(ctx, deps);
    const parameters = Object.entries(await read()).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
    if (!person) return redirect(ctx, 303, `${loginPage}?${new URLSearchParams(Object.fromEntries(parameters))}`);
    const { account, session: sessionUid } = person;
    const caller = callerOf(ctx, 'tinyoauth');
    const outcome = await deps.authorizer.authorize({ parameters, subject: account.subject, sessionUid, caller });
    if (outcome.outcome === 'redirect') return redirect(ctx, 302, outcome.location);
    // The session ended after the token was verified.
    if (outcome.status === 401) throw notSignedIn(deps.config.issuer, true);
    throw new Refusal(outcome.status === 413 ? 'payload_too_large' : 'invalid_request', outcome.description);
  }

  const said = {
    summary: 'Get a code',
    description: 'With a token: a code for a client from /client. The call is the consent of the token’s person.',
    security: ['person', 'public'],
    answers: {
      302: 'Redirects to the redirect URI with `code` or `error`, and with `state` and `iss` (RFC 9207).',
      303: 'No token was sent: redirects to the sign-in page, with the same parameters.',
      400: 'A parameter is malformed or repeated, the client is unknown, or the redirect URI is not registered.',
      401: 'The token is not valid.',
      405: 'HEAD is refused too: its response would lose the code.',
      413: 'The request is too long.',
    },
  };
  return {
    GET: operation({ ...said, query: parameters, head: false, handle: (ctx, read) => answer(ctx, read.query) }),
    POST: operation({
      ...said,
      query: parameters,
      body: parameters,
      bodyType: 'either',
      handle: (ctx, read) => answer(ctx, () => parametersOf(ctx, read)),
    }),
  };
}
