/**
 * The person's side of the device flow (RFC 8628, section 3.3):
 *
 *   GET /device -> enter the code -> POST -> confirm what the device is -> POST -> sign-in and consent, as for any
 *   client -> GET /device/:uid -> done
 *
 * With `verification_uri_complete` the confirmation comes first; it shows the code, so that the person compares it.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { shownUserCode, userCodeOf } from '../../core/device-codes/user-code.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import { callerOf } from '../../http/caller.ts';
import type { DeviceProblem, ProtocolEvents, ProtocolPages, RequestingPlace } from '../ports.ts';
import { nameCheck, type Recorder } from '../refusals/record.ts';
import { unitOf } from '../request-unit.ts';
import { TooManyCodes } from './too-many-codes.ts';

interface DeviceFlowDeps {
  readonly pages: Pick<ProtocolPages, 'device' | 'error'>;
}

/** What the person has decided. Kept on the context until it is committed. */
const decision = Symbol('decision');
type Decided = { [decision]?: Parameters<ProtocolEvents['deviceDecided']> };

/** Call it after the commit: the request may have been too late. */
export function noteDecided(ctx: KoaContextWithOIDC, events: Pick<ProtocolEvents, 'deviceDecided'>): void {
  const decided = (ctx as Decided)[decision];
  if (decided !== undefined && ctx.status === 200) events.deviceDecided(...decided);
}

/** The engine's errors of this flow have no public classes, but names. */
const problems: Readonly<Record<string, { readonly kind: DeviceProblem['kind']; readonly check: CheckName }>> = {
  NoCodeError: { kind: 'missing', check: 'parameter_missing' },
  NotFoundError: { kind: 'unknown', check: 'user_code_unknown' },
  ExpiredError: { kind: 'expired', check: 'user_code_expired' },
  AlreadyUsedError: { kind: 'used', check: 'user_code_used' },
  // The form is from an earlier page, or the interaction is finished.
  SessionNotFound: { kind: 'stale', check: 'stale' },
};

export function deviceFlow({ pages }: DeviceFlowDeps, recorder: Pick<Recorder, 'record'>) {
  function decided(ctx: KoaContextWithOIDC, outcome: 'approved' | 'denied') {
    const { session, entities, params } = ctx.oidc;
    // After a refusal on the consent page, the engine has read neither the code nor the client.
    const clientId = entities.DeviceCode?.clientId ?? String(params?.client_id ?? '');
    const fields = { subject: session?.accountId, clientId, caller: callerOf(ctx, 'browser') };
    (ctx as Decided)[decision] = [outcome, fields];
    return pages.device.done(ctx, outcome);
  }

  async function again(ctx: KoaContextWithOIDC, error: Error, csrf: string | undefined): Promise<void> {
    const typed = ctx.oidc.params?.user_code ?? typedInQuery(ctx);
    const problem = problemOf(ctx, error);
    if (problem === undefined) {
      const { error: code = 'server_error', error_description } = error as Partial<errors.OIDCProviderError>;
      const refusal = ctx.status < 500 ? await recorder.record(ctx, error) : undefined;
      pages.error(ctx, { error: code, error_description }, error, refusal);
      return;
    }
    nameCheck(ctx, problem.check);
    pages.device.enter(ctx, csrf, typeof typed === 'string' ? typed : undefined, problem.shown);
  }

  return {
    enabled: true,
    charset: 'base-20' as const,
    mask: '****-****',

    deviceInfo(ctx: KoaContextWithOIDC) {
      const { address, userAgent = '' } = callerOf(ctx);
      return { address, userAgent: userAgent.slice(0, 256), at: nowSeconds() } satisfies RequestingPlace;
    },

    async userCodeInputSource(ctx: KoaContextWithOIDC, _form: string, _out?: unknown, error?: Error): Promise<void> {
      const kept = error === undefined || keepsSession(ctx);
      if (error?.name === 'AbortedError') return decided(ctx, 'denied');
      if (error) return again(ctx, error, kept ? csrfOf(ctx) : undefined);
      const typed = typedInQuery(ctx);
      if (typed === undefined) pages.device.enter(ctx, csrfOf(ctx), undefined, undefined);
      else await showTyped(ctx, typed);
    },

    async userCodeConfirmSource(ctx: KoaContextWithOIDC, _form: string, _client: unknown, info: object, code: string) {
      await pages.device.confirm(ctx, csrfOf(ctx), code, info as RequestingPlace);
    },

    successSource: (ctx: KoaContextWithOIDC) => decided(ctx, 'approved'),
  };

  /** `verification_uri_complete`: as if the person had typed the code. */
  async function showTyped(ctx: KoaContextWithOIDC, typed: string): Promise<void> {
    const { DeviceCode, Client } = ctx.oidc.provider;
    const userCode = userCodeOf(typed);
    try {
      const code = userCode && (await DeviceCode.findByUserCode(userCode, { ignoreExpiration: true }));
      const client = code ? await Client.find(String(code.clientId)) : undefined;
      if (!userCode || !code || !client) throw named('NotFoundError');
      if (code.isExpired) throw named('ExpiredError');
      if (code.error ?? code.accountId ?? code.inFlight) throw named('AlreadyUsedError');
      ctx.oidc.entity('Client', client);
      await pages.device.confirm(
        ctx,
        csrfOf(ctx),
        shownUserCode(userCode),
        code.deviceInfo as unknown as RequestingPlace,
      );
    } catch (error) {
      if (!(error instanceof Error) || problemOf(ctx, error) === undefined) throw error;
      await again(ctx, error, csrfOf(ctx));
    }
  }
}

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

function problemOf(
  ctx: KoaContextWithOIDC,
  error: Error,
): { readonly shown: DeviceProblem; readonly check: CheckName } | undefined {
  if (error instanceof TooManyCodes) {
    // A person who signs in may go on (core/device-codes).
    const kind = ctx.oidc.session?.accountId === undefined ? 'sign-in-first' : 'throttled';
    return { shown: { kind, retryAfter: error.retryAfter }, check: 'user_code_throttled' };
  }
  const isForm = error instanceof errors.InvalidRequest && /xsrf|device form/.test(error.error_description ?? '');
  const known = isForm ? problems.SessionNotFound : problems[error.name];
  return known && { shown: { kind: known.kind } as DeviceProblem, check: known.check };
}

/** The engine would answer a code in the query with a form that a script submits. */
const inQuery = Symbol('user code');
type WithQuery = { [inQuery]?: string };

/** Takes the query from the engine. Call it before the engine sees the request. */
export function takeUserCode(ctx: KoaContextWithOIDC): void {
  const { user_code: typed } = ctx.query;
  if (typeof typed === 'string' && typed !== '') (ctx as WithQuery)[inQuery] = typed.slice(0, 64);
  ctx.query = {};
}

const typedInQuery = (ctx: KoaContextWithOIDC): string | undefined => (ctx as WithQuery)[inQuery];

/**
 * After an error the engine writes its token into a session that it saves only if the browser has one. Otherwise it
 * would fail, so the session is left alone, and the page's form needs no token.
 */
function keepsSession({ oidc: { session } }: KoaContextWithOIDC): boolean {
  const kept = typeof session?.exp === 'number';
  if (session && !kept) Object.assign(session, { touched: false });
  return kept;
}

/**
 * The engine makes a new token for each page. The one that this browser has goes on, so that a second tab, or the page
 * before, works as well; a sign-out that waits for its answer keeps its state.
 */
function csrfOf(ctx: KoaContextWithOIDC): string {
  const { session } = ctx.oidc;
  const stored = session && unitOf(ctx)?.reads.sessionsByUid.get(session.uid);
  const before = stored && (JSON.parse(stored.payload).state as { readonly secret?: unknown } | undefined);
  if (session && before && typeof before.secret === 'string') session.state = { ...before };
  return String(session?.state?.secret);
}
