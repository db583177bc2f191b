/**
 * Requests that a program makes in a person's place (core/api-sessions/authorize), on their way through the engine. The
 * engine takes them for any other; what must be different about them is here, found by the request itself, so that
 * nothing in a request can claim it:
 *
 * - the session is the one named by the caller, by a cookie that only this server can make;
 * - the call is the consent: the grant of this session and client gets whatever is asked for;
 * - nothing is shown: what would be a page is an outcome, and so is what would be a redirect;
 * - what was not given a code leaves nothing behind.
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

/** One pass of such a request, and what became of it. */
export interface OnBehalf {
  readonly subject: string;
  readonly sessionUid: string;
  readonly caller: Caller;
  /** The value of the session's cookie. */
  readonly sessionValue: string;
  outcome: AuthorizationOutcome | undefined;
  /** What went wrong in this server. */
  failure: Error | undefined;
  /** Another request came in between: nothing is decided, and everything is to be asked once more. */
  again: boolean;
  /** What the grant did not have before; only of an authorization that was given. */
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

/** Around the unit of work: shows the engine the session's cookie, and takes down its answer instead of sending it. */
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

/** Signed by the framework itself, as it will be verified: set as a cookie of the answer and moved over to the request. */
function showSession(ctx: KoaContextWithOIDC, name: string, value: string): void {
  ctx.cookies.set(name, value, { signed: true });
  const pairs = [ctx.response.get('Set-Cookie')].flat().map((line) => line.slice(0, line.indexOf(';')));
  ctx.remove('Set-Cookie');
  ctx.req.headers.cookie = pairs.join('; ');
}

/** Inside the unit of work: a session that would note a refused client, or a grant without a code, is not written. */
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

/** The engine's pages for people; a program has the same refusal as an outcome. */
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
 * Two nodes have authorized for one session at once, and each has made a grant of its own; the session can hold one of a client.
 * In a browser the later one has it. Here the later one is done again on top of the first, and its code and grant are of no use.
 */
export async function startsOver(engine: EngineStore, ctx: KoaContextWithOIDC, unit: RequestUnit): Promise<boolean> {
  const asked = onBehalfOf(ctx);
  if (!asked) return false;
  asked.again = true;
  for (const id of unit.grants.keys()) if (!unit.reads.grants.has(id)) await engine.revokeGrant(id);
  return true;
}
