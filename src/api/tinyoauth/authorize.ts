/**
 * `/authorize`: a code for an application, in the place of a person who shows their token; the call is their consent. Without any
 * token it is the browser flow's, and goes there. In this order: the token (401), the parameters' form (400), then the engine's
 * own checks: an unknown client or redirect URI is 400 and never a redirect, everything later is told to the application.
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
/** What the browser that follows can send, its cookies beside it. */
const longestAddress = 12_288;

/** Whose live token came with the request, and its session. Throws `Refusal`. */
export async function requirePerson(ctx: Context, { apiSessions, config }: SurfaceDeps) {
  const bearer = bearerOf(ctx.req);
  const verified = bearer.outcome === 'token' ? await apiSessions.verify('tinyoauth', bearer.token) : undefined;
  if (verified?.outcome === 'valid') return verified;
  throw notSignedIn(config.issuer, bearer.outcome !== 'none');
}

/** RFC 6750, section 3: the challenge has an error only where a token was sent. */
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

/** The original does not say where a POST has them: in the body or the query, each once (RFC 6749, section 3.1). */
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
    // Ended since it was verified.
    if (outcome.status === 401) throw notSignedIn(deps.config.issuer, true);
    throw new Refusal(outcome.status === 413 ? 'payload_too_large' : 'invalid_request', outcome.description);
  }

  const said = {
    summary: 'Get a code',
    description:
      'With a token, for an application registered at /client. The call is the consent of the person whose token it is.',
    security: ['person', 'nobody'],
    answers: {
      302: 'To the redirect URI in `Location`, with `code` or `error`, and with `state` and `iss` (RFC 9207).',
      303: 'There is no token: to the sign-in page, with the same parameters.',
      400: 'A parameter is malformed or there twice, there is no such client, or the redirect URI is not its own.',
      401: 'The token is not a live one.',
      405: 'HEAD too is refused: it would take a code that nobody sees.',
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
