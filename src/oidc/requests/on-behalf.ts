/**
 * Authorization requests that a program makes on behalf of a user (core/api-sessions/authorize), inside the engine.
 * They are marked on the Node request object, so that no content of a request can claim this. Unlike other requests:
 * - the session is the one that the caller names, through a cookie that only this server can make;
 * - the call is the consent: the grant of this session and client gets what the request asks for;
 * - no page is shown: pages and redirects become outcomes;
 * - a request that gets no code stores nothing.
 */
import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { Unavailable } from '../../base/errors.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Logger } from '../../base/log.ts';
import type { AuthorizationOutcome } from '../../core/api-sessions/authorize.ts';
import type { Caller } from '../../core/kernel/caller.ts';
import type { EngineStore } from '../../core/stores/engine.ts';
import type { ProtocolPages } from '../ports.ts';
import { type RequestUnit, unitOf } from '../request-unit.ts';

/** One attempt at such a request, and its result. */
export interface OnBehalf {
  readonly subject: string;
  readonly sessionUid: string;
  readonly caller: Caller;
  /** The value of the session cookie. */
  readonly sessionValue: string;
  outcome: AuthorizationOutcome | undefined;
  /** A failure of this server. */
  failure: Error | undefined;
  /** A parallel request interfered: nothing is decided, and the request must be repeated. */
  again: boolean;
  /** The additions to the grant; set only if a code was issued. */
  allowed: { readonly clientId: string; readonly detail: JsonObject } | undefined;
}

const marks = new WeakMap<IncomingMessage, OnBehalf>();

export function mark(req: IncomingMessage, asked: OnBehalf): void {
  marks.set(req, asked);
}

export function onBehalfOf({ req }: { readonly req: IncomingMessage }): OnBehalf | undefined {
  return marks.get(req);
}

type Next = () => Promise<void>;

/** Wraps the unit of work: gives the engine the session cookie, and turns its response into an outcome. */
export function answerOnBehalf(cookieName: string) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    const asked = onBehalfOf(ctx);
    if (!asked) return next();
    ctx.respond = false;
    showSession(ctx, cookieName, asked.sessionValue);
    await next();

    if (asked.outcome || asked.failure || asked.again) return;
    const location = ctx.response.get('Location');
    if (!isTheirs(ctx, asked)) asked.outcome = sessionEnded;
    else if (location !== '') asked.outcome = { outcome: 'redirect', location };
  };
}

const sessionEnded: AuthorizationOutcome = {
  outcome: 'refused',
  status: 401,
  error: 'login_required',
  description: 'the session has ended',
};

function isTheirs({ oidc }: KoaContextWithOIDC, { subject, sessionUid }: OnBehalf): boolean {
  return oidc?.session?.uid === sessionUid && oidc.session.accountId === subject;
}

/** Koa signs the cookie as it will verify it: sets it on the response, then moves it to the request. */
function showSession(ctx: KoaContextWithOIDC, name: string, value: string): void {
  ctx.cookies.set(name, value, { signed: true });
  const pairs = [ctx.response.get('Set-Cookie')].flat().map((line) => line.slice(0, line.indexOf(';')));
  ctx.remove('Set-Cookie');
  ctx.req.headers.cookie = pairs.join('; ');
}

/** Runs inside the unit of work. Without a code, neither the grant nor the session is written. */
export async function keepOnlyWhatIsGiven(ctx: KoaContextWithOIDC, next: Next): Promise<void> {
  await next();
  const asked = onBehalfOf(ctx);
  const unit = unitOf(ctx);
  if (!asked || !unit) return;
  const given = isTheirs(ctx, asked) && [...unit.tokens.values()].some(({ kind }) => kind === 'AuthorizationCode');
  if (given) return;
  for (const writes of [unit.tokens, unit.grants, unit.sessions]) writes.clear();
  asked.allowed = undefined;
}

/** Shows the engine's pages to browsers; a program gets the same refusal as an outcome. */
export function pagesForPeople(pages: ProtocolPages, log: Logger): ProtocolPages {
  return {
    ...pages,
    error(ctx, out, error, refusal) {
      const asked = onBehalfOf(ctx);
      if (!asked) return pages.error(ctx, out, error, refusal);
      if (ctx.status >= 500) {
        asked.failure = error.cause instanceof Unavailable ? error.cause : error;
        return;
      }
      const { error: code, error_description: description = code } = out;
      const { requestId } = asked.caller;
      const clientId = ctx.oidc.client?.clientId;
      log.info({ requestId, clientId, error: code, description }, 'an authorization request was refused');
      asked.outcome = { outcome: 'refused', status: 400, error: code, description };
    },
    stale(ctx) {
      const asked = onBehalfOf(ctx);
      if (!asked) return pages.stale(ctx);
      asked.again = true;
    },
  };
}

/**
 * If two nodes authorize one session at once, each makes a grant, but the session holds one per client. The later
 * request is repeated on top of the first, and its own code and grant are dropped.
 */
export async function startsOver(engine: EngineStore, ctx: KoaContextWithOIDC, unit: RequestUnit): Promise<boolean> {
  const asked = onBehalfOf(ctx);
  if (!asked) return false;
  asked.again = true;
  for (const id of unit.grants.keys()) if (!unit.reads.grants.has(id)) await engine.revokeGrant(id);
  return true;
}
