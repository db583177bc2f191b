/**
 * Merges two changes of one browser session made at the same time: by two tabs, or by several applications in hidden
 * frames. The engine writes its whole copy of the session, so the later write would undo the earlier one, and the
 * application that loses its part would lose its refresh token. Here, the later request applies its own change on top.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AdapterPayload } from 'oidc-provider';
import type { SessionOrigin, SessionPut, StoredSession } from '../core/stores/engine.ts';

type Members = Record<string, unknown>;

/**
 * Makes a session row from the engine's payload, without its value. The engine computes the expiry and renews the value
 * of a browser session. A session begun through an API keeps its key and its expiry.
 */
export function sessionRow(
  key: string,
  payload: AdapterPayload,
  { before, expiresAt, origin }: { before: StoredSession | undefined; expiresAt: number; origin: SessionOrigin },
): SessionPut {
  const grants: Record<string, string> = {};
  const sids: Record<string, string> = {};
  for (const [clientId, { grantId, sid }] of Object.entries(payload.authorizations ?? {})) {
    if (grantId) grants[clientId] = grantId;
    if (sid) sids[clientId] = sid;
  }
  const own = before !== undefined && !isBrowsers(before);
  const { exp, ...lasting } = payload;
  return {
    key: own ? before.key : key,
    uid: String(payload.uid),
    subject: payload.accountId ?? null,
    payload: JSON.stringify(own ? lasting : payload),
    grants,
    sids,
    expiresAt: own ? before.expiresAt : (exp ?? expiresAt),
    origin: own ? before.origin : origin,
    before: before?.payload ?? null,
  };
}

/** Null: the client has no name for this session. */
const sidIn = (sids: Readonly<Record<string, string>>, clientId: string): string | null =>
  (Object.hasOwn(sids, clientId) ? sids[clientId] : undefined) ?? null;

/** Adds the clients whose part of the session ends with this write. */
export function withLeft(put: SessionPut, before: StoredSession | undefined): SessionPut {
  const { subject } = before ?? {};
  if (!before || !subject) return put;
  const goesOn = (clientId: string) => subject === put.subject && Object.hasOwn(put.grants, clientId);
  const gone = Object.keys(before.grants).filter((clientId) => !goesOn(clientId));
  if (gone.length === 0 && put.left === undefined) return put;
  return { ...put, left: gone.map((clientId) => ({ clientId, subject, sid: sidIn(before.sids, clientId) })) };
}

export function isBrowsers({ origin }: Pick<StoredSession, 'origin'>): boolean {
  return origin.door === 'browser';
}

/** Applies to `theirs` what `ours` changed in `read`. */
export function mergeSession(read: StoredSession, ours: SessionPut, theirs: StoredSession): SessionPut {
  const [from, to, onto]: Members[] = [read, ours, theirs].map(({ payload }) => JSON.parse(payload));
  const merged = withChanges(from ?? {}, to ?? {}, onto ?? {}) as AdapterPayload;
  // Two users signed in at once in a browser without a session: the later one gets the whole session.
  if (from?.accountId !== to?.accountId && onto?.accountId !== to?.accountId)
    return withLeft({ ...ours, before: theirs.payload }, theirs);
  const clients = [from, to, onto].map((payload) => (payload?.authorizations ?? {}) as Members);
  const authorizations = withChanges(clients[0] ?? {}, clients[1] ?? {}, clients[2] ?? {});
  if (Object.keys(authorizations).length > 0) Object.assign(merged, { authorizations });
  // Keep the stored cookie value unless this request renewed it, and the stored origin unless a user signed in.
  const key = ours.key === read.key ? theirs.key : ours.key;
  const row = sessionRow(key, merged, {
    before: theirs,
    expiresAt: Math.max(ours.expiresAt, theirs.expiresAt),
    origin: isDeepStrictEqual(ours.origin, read.origin) ? theirs.origin : ours.origin,
  });
  return withLeft(row, theirs);
}

function withChanges(from: Members, to: Members, onto: Members): Members {
  const merged: Members = { ...onto };
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (isDeepStrictEqual(from[name], to[name])) continue;
    if (name in to) merged[name] = to[name];
    else delete merged[name];
  }
  return merged;
}

export function sameJson(a: string, b: string): boolean {
  return a === b || isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
}
