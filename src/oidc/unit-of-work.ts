/**
 * Single use, and one unit of work per request (docs/decisions/008-unit-of-work.md).
 *
 * The engine consumes a code and saves tokens in separate calls, and ignores a lost race. So its writes are held back
 * and committed at once before the response, on the condition that no other request used the code or token. The cases:
 * 1. The engine refused: commit nothing and consume nothing. Report a replay that the engine detected.
 * 2. The commit succeeded: send the response.
 * 3. The refresh token was replaced within the reuse window of its client and its successor is unused: keep the access
 *    token, drop the second successor, and return the first (refresh-repeat.ts). So there is one token family.
 * 4. Any other earlier use is a replay: end the grant (RFC 6749, 4.1.2; RFC 9700, 4.14) and answer `invalid_grant`.
 */
import type { KoaContextWithOIDC } from 'oidc-provider';
import { Unavailable } from '../base/errors.ts';
import { sealSuccessor, successorOf } from '../core/kernel/reuse-window.ts';
import type { CheckName } from '../core/refusals/checks.ts';
import type { AccountStore } from '../core/stores/accounts.ts';
import type { CommitOutcome, EngineStore, SessionPut, Shared, StoredToken, Unit } from '../core/stores/engine.ts';
import { TemporarilyUnavailable } from './adapter/adapter.ts';
import { repeated, replacingOf } from './refresh-repeat.ts';
import { nameCheck } from './refusals/record.ts';
import { type RequestUnit, unitOf } from './request-unit.ts';
import { beginAnew, endIfOutdated, freshLogin, isOutdated } from './requests/outdated-login.ts';
import type { Begun } from './requests/restart.ts';
import { mergeSession } from './session-merge.ts';

interface UnitOfWorkDeps {
  readonly engine: EngineStore;
  readonly accounts: AccountStore;
  /** The address that begins the authorization request again. */
  readonly restart: (request: Begun) => Promise<string>;
  readonly reuseWindowOf: (clientId: string | null) => Promise<number>;
  readonly onShared: (ctx: KoaContextWithOIDC, shared: Shared) => void;
  /** A code or refresh token was used twice, and its grant has ended. Once per grant. */
  readonly onReplay: (ctx: KoaContextWithOIDC, grantId: string) => void;
  /** A session has ended because the password changed during its sign-in. */
  readonly onOutdatedLogin: (ctx: KoaContextWithOIDC, subject: string) => void;
  /**
   * Whether a request starts over if its session changed in parallel. Otherwise its change is merged into the session.
   */
  readonly startsOver: (ctx: KoaContextWithOIDC, unit: RequestUnit) => Promise<boolean>;
  /** Shows the page for an interaction that is already finished. */
  readonly renderStale: (ctx: KoaContextWithOIDC) => void;
  /** Shows the page for a database that fails during the request. */
  readonly renderUnavailable: (ctx: KoaContextWithOIDC, error: TemporarilyUnavailable) => void;
}

/** Endpoints that store something and answer in JSON. */
const forPrograms: ReadonlySet<string | undefined> = new Set([
  'token',
  'device_authorization',
  'pushed_authorization_request',
]);

export function unitOfWork(deps: UnitOfWorkDeps) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const unit = unitOf(ctx);
    if (!unit) return;
    const token = ctx.oidc.route === 'token';
    const login = token ? undefined : await freshLogin(ctx, unit);
    if (token ? ctx.status !== 200 : ctx.status >= 500) {
      if (token) await noteReplays(deps, ctx, unit);
      // Nothing is written, so a session has no row under a new value.
      else ctx.remove('Set-Cookie');
      return;
    }
    try {
      if (login && isOutdated(login, unit)) return await startOver(deps, ctx);
      await settle(deps, ctx, unit, token);
      if (login && (await endIfOutdated({ ...deps, onEnded: deps.onOutdatedLogin }, ctx, login, unit)))
        await startOver(deps, ctx);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      // Nothing was written as far as is known, so the browser keeps its cookies and may repeat the request.
      ctx.remove('Set-Cookie');
      const words = new TemporarilyUnavailable(error);
      refuse(ctx, words.statusCode, words.error, words.error_description ?? '');
      if (!forPrograms.has(ctx.oidc.route)) deps.renderUnavailable(ctx, words);
    }
  };
}

/** The lookup showed the earlier use, so the engine itself has ended the grant. */
async function noteReplays({ onReplay }: UnitOfWorkDeps, ctx: KoaContextWithOIDC, unit: RequestUnit): Promise<void> {
  for (const [grantId, ended] of unit.revoked) if (await ended) onReplay(ctx, grantId);
}

/** The browser repeats its request from the beginning. */
async function startOver(deps: UnitOfWorkDeps, ctx: KoaContextWithOIDC): Promise<void> {
  const { entities, params } = ctx.oidc;
  const begun: Begun | undefined = entities.Interaction;
  const request = { params: { ...params }, parJti: begun?.parJti, deviceCode: entities.DeviceCode?.jti };
  beginAnew(ctx, await deps.restart(request));
}

async function settle(deps: UnitOfWorkDeps, ctx: KoaContextWithOIDC, unit: RequestUnit, token: boolean): Promise<void> {
  const { engine } = deps;
  if (unit.repeat !== undefined) {
    if (!(await repeated(deps, ctx, unit, unit.repeat))) refuseGrant(ctx);
    return;
  }
  const outcome = await commit(engine, unit, ctx);
  if (outcome.outcome === 'committed') {
    // The engine destroys the old value of a renewed session; the row saved under the new value replaces it.
    for (const uid of unit.destroyedSessions) if (!unit.sessions.has(uid)) await engine.deleteSession(uid);
    if (outcome.overtaken && !(await deps.startsOver(ctx, unit)))
      for (const put of unit.sessions.values()) await putOnTop(engine, unit, put);
    return;
  }

  if (!token) {
    // Another tab finished the interaction, or the session ended during this request. The browser keeps its cookie:
    // the session has no row under the new value.
    ctx.remove('Set-Cookie');
    nameCheck(ctx, 'stale');
    deps.renderStale(ctx);
    return;
  }

  const refresh = unit.consume.get('RefreshToken');
  if (refresh && outcome.token) {
    const { key, clientId } = outcome.token;
    const successor = successorOf(outcome.token, refresh.value, await deps.reuseWindowOf(clientId));
    if (successor !== undefined) {
      if (!(await repeated(deps, ctx, unit, { key, successor }))) refuseGrant(ctx);
      return;
    }
  }
  const grantId = outcome.token?.grantId;
  // Of many replays at once, one ends the grant and is noted.
  if (grantId && isReplay(outcome.token) && (await engine.revokeGrant(grantId))) deps.onReplay(ctx, grantId);
  const kind = [...unit.consume.keys()].find((name) => Object.hasOwn(spentChecks, name));
  const { ended, replayed } = spentChecks[kind ?? ''] ?? { ended: 'code_ended', replayed: 'code_used' };
  nameCheck(ctx, isReplay(outcome.token) ? replayed : ended);
  refuseGrant(ctx);
}

const spentChecks: Readonly<Record<string, { readonly ended: CheckName; readonly replayed: CheckName }>> = {
  RefreshToken: { ended: 'refresh_ended', replayed: 'refresh_replayed' },
  DeviceCode: { ended: 'device_code_ended', replayed: 'device_code_used' },
};

/** Another request of this browser was faster: merges this change into that one. A missing session was signed out. */
async function putOnTop(engine: EngineStore, unit: RequestUnit, put: SessionPut): Promise<void> {
  const read = unit.reads.sessionsByUid.get(put.uid);
  for (let tries = 0; read && tries < 20; tries += 1) {
    const theirs = await engine.readSessionByUid(put.uid);
    if (!theirs) return;
    const outcome = await engine.commit({ sessions: [mergeSession(read, put, theirs.session)] });
    if (outcome.outcome === 'spent' || !outcome.overtaken) return;
  }
}

/** A missing row was ended elsewhere, so there is nothing to revoke. */
const isReplay = (token: StoredToken | undefined): boolean => token !== undefined && token.consumedAt !== null;

function commit(engine: EngineStore, unit: RequestUnit, ctx: KoaContextWithOIDC) {
  const rotated = unit.consume.get('RefreshToken');
  const next = rotated && [...unit.tokens.values()].find((row) => row.kind === 'RefreshToken');
  const nextValue = next && unit.values.get(next.key);
  return commitIfAny(engine, {
    consume: [...unit.consume.values()].map((used) => ({
      key: used.key,
      at: used.at,
      ...(used === rotated &&
        next &&
        nextValue !== undefined && {
          successor: { key: next.key, sealed: sealSuccessor(used.value, nextValue, replacingOf(ctx)) },
        }),
    })),
    tokens: [...unit.tokens.values()],
    grants: [...unit.grants.values()],
    sessions: [...unit.sessions.values()],
  });
}

async function commitIfAny(engine: EngineStore, unit: Unit): Promise<CommitOutcome> {
  const empty = !unit.consume?.length && !unit.tokens?.length && !unit.grants?.length && !unit.sessions?.length;
  return empty ? { outcome: 'committed' } : engine.commit(unit);
}

function refuseGrant(ctx: KoaContextWithOIDC): void {
  refuse(ctx, 400, 'invalid_grant', 'grant request is invalid');
}

function refuse(ctx: KoaContextWithOIDC, status: number, error: string, description: string): void {
  ctx.remove('Location');
  ctx.status = status;
  ctx.body = { error, error_description: description };
}
