/** Browser sessions, and sessions begun through an API that run a browser's flow. */
import { isDeepStrictEqual } from 'node:util';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import { isOver, type SessionLimits } from '../../core/sessions/session-limits.ts';
import type { EngineStore, SessionOrigin, SessionPut, StoredSession } from '../../core/stores/engine.ts';
import { callerOf } from '../../http/caller.ts';
import { currentUnit } from '../request-unit.ts';
import { isBrowsers, sameJson, sessionRow, withLeft } from '../session-merge.ts';

export interface SessionDeps {
  readonly engine: EngineStore;
  readonly lifetimes: SessionLimits;
  /** Reports that a user has used a session. */
  readonly seen: (subject: string, sessionUid: string) => void;
}

export function sessionCalls(deps: SessionDeps): Partial<Adapter> {
  const payloadOf = (session: StoredSession, value?: string): AdapterPayload | undefined => {
    if (isOver(session, deps.lifetimes)) return undefined;
    const payload: AdapterPayload = JSON.parse(session.payload);
    // The row decides when an API session expires, whatever the engine computed on a save.
    if (!isBrowsers(session)) payload.exp = session.expiresAt;
    if (value !== undefined) payload.jti = value;
    return payload;
  };

  return {
    async find(value) {
      const key = digest(value);
      const unit = currentUnit();
      let reading = unit?.reads.bundles.get(key);
      if (!reading) {
        reading = deps.engine.readSession(key, requestedClient());
        unit?.reads.bundles.set(key, reading);
      }
      const bundle = await reading;
      if (!bundle) return undefined;
      if (unit) {
        unit.reads.sessionsByUid.set(bundle.session.uid, bundle.session);
        if (bundle.session.subject) unit.reads.accounts.set(bundle.session.subject, bundle.account);
        if (bundle.grant) unit.reads.grants.set(bundle.grant.id, bundle.grant);
      }
      // A disabled or deleted user has no session, so the browser must sign in.
      if (bundle.session.subject && bundle.account?.disabledAt !== null) return undefined;
      const payload = payloadOf(bundle.session, value);
      if (payload && bundle.session.subject) deps.seen(bundle.session.subject, bundle.session.uid);
      return payload;
    },
    async findByUid(uid) {
      const unit = currentUnit();
      let session = unit?.reads.sessionsByUid.get(uid);
      if (!unit?.reads.sessionsByUid.has(uid)) {
        session = (await deps.engine.readSessionByUid(uid))?.session;
        unit?.reads.sessionsByUid.set(uid, session);
      }
      const payload = session && payloadOf(session);
      // An application that uses a grant of this session keeps the session in use.
      if (payload && session?.subject && deps.lifetimes.sessionIdle > 0) deps.seen(session.subject, uid);
      return payload;
    },
    async upsert(value, payload) {
      const { jti: _value, ...engines } = payload;
      const unit = currentUnit();
      const before = unit?.reads.sessionsByUid.get(String(payload.uid));
      const begun = begunAt(payload, before);
      const rest = begun === undefined ? engines : { ...engines, begunAt: begun };
      const row = sessionRow(digest(value), rest, { before, expiresAt: nowSeconds(), origin: originOf(rest, before) });
      if (!unit) {
        await deps.engine.commit({ sessions: [withLeft(row, before)] });
        return;
      }
      // After a session has ended, the engine makes an empty one for its cookie at each request. It has no user, so it
      // is not stored.
      if (!before && payload.accountId === undefined && payload.state === undefined) return;
      // The engine saves the session at every authorization request, which could undo a parallel change. So an
      // unchanged session is not written. `sameJson` ignores the order of members.
      if (before && isUnchanged(row, before)) unit.sessions.delete(row.uid);
      else unit.sessions.set(row.uid, withLeft(row, before));
    },
    async destroy(value) {
      const unit = currentUnit();
      const bundle = await (unit?.reads.bundles.get(digest(value)) ??
        deps.engine.readSession(digest(value), undefined));
      if (!bundle) return;
      if (unit) unit.destroyedSessions.add(bundle.session.uid);
      else await deps.engine.deleteSession(bundle.session.uid);
    },
  };
}

/** A session of an earlier version has no `sids` of its own yet. */
function isUnchanged({ key, payload, sids }: SessionPut, before: StoredSession): boolean {
  return before.key === key && sameJson(before.payload, payload) && isDeepStrictEqual(before.sids, sids);
}

/** The payload that this server stores. */
type Stored = AdapterPayload & { readonly begunAt?: number };
type Login = Pick<AdapterPayload, 'accountId' | 'loginTs'>;

/** The earlier payload, if no user has signed in since. */
function goingOn({ accountId, loginTs }: Login, before: StoredSession | undefined): Stored | undefined {
  const known: Stored | undefined = before && JSON.parse(before.payload);
  return known?.accountId === accountId && known?.loginTs === loginTs ? known : undefined;
}

/**
 * When the session's lifetime began, in seconds since the epoch: the moment of the sign-in here. `loginTs` is the last
 * authentication, which may be older and at another provider. Returns undefined if `loginTs` is both.
 */
export function begunAt(login: Login, before: StoredSession | undefined): number | undefined {
  if (login.accountId === undefined) return undefined;
  const known = goingOn(login, before);
  return known === undefined ? nowSeconds() : known.begunAt;
}

/** The origin of a new sign-in; a continued session keeps its origin. */
function originOf(login: Login, before: StoredSession | undefined): SessionOrigin {
  if (before && goingOn(login, before)) return before.origin;
  const req = Provider.ctx?.req;
  // Node accepts only Latin-1 without U+0000 in headers, so every database can store the value.
  const userAgent = req?.headers['user-agent']?.slice(0, 256);
  return {
    door: 'browser',
    clientId: null,
    address: (req && callerOf({ req }).address) || null,
    userAgent: userAgent || null,
  };
}

/** The client whose grant is read together with the session. */
function requestedClient(): string | undefined {
  const ctx = Provider.ctx;
  const asked = ctx?.oidc?.route === 'authorization' ? ctx.query.client_id : undefined;
  return typeof asked === 'string' ? asked : undefined;
}
