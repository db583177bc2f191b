/**
 * Two requests of one browser change its session at the same moment: two tabs, or several applications that each ask in a hidden
 * frame. The engine knows one copy of a session and writes all of it, so the later write would undo the earlier one, and the
 * application whose part got lost would find its refresh token dead. Here the later one puts its own change on top.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AdapterPayload } from 'oidc-provider';
import type { SessionOrigin, SessionPut, StoredSession } from '../core/stores/engine.ts';

type Members = Record<string, unknown>;

/**
 * A session row from the engine's payload (without its value). The engine has its own idea of a session's end and renews its value
 * at will; both are the browser's. A session begun through an API keeps its key and its end.
 */
export function sessionRow(
  key: string,
  payload: AdapterPayload,
  { before, expiresAt, origin }: { before: StoredSession | undefined; expiresAt: number; origin: SessionOrigin },
): SessionPut {
  const grants: Record<string, string> = {};
  for (const [clientId, { grantId }] of Object.entries(payload.authorizations ?? {})) {
    if (grantId) grants[clientId] = grantId;
  }
  const own = before !== undefined && !isBrowsers(before);
  const { exp, ...lasting } = payload;
  return {
    key: own ? before.key : key,
    uid: String(payload.uid),
    subject: payload.accountId ?? null,
    payload: JSON.stringify(own ? lasting : payload),
    grants,
    expiresAt: own ? before.expiresAt : (exp ?? expiresAt),
    origin: own ? before.origin : origin,
    before: before?.payload ?? null,
  };
}

export function isBrowsers({ origin }: Pick<StoredSession, 'origin'>): boolean {
  return origin.door === 'browser';
}

/** What `ours` changed against `read`, done to `theirs` instead. */
export function mergeSession(read: StoredSession, ours: SessionPut, theirs: StoredSession): SessionPut {
  const [from, to, onto]: Members[] = [read, ours, theirs].map(({ payload }) => JSON.parse(payload));
  const merged = withChanges(from ?? {}, to ?? {}, onto ?? {}) as AdapterPayload;
  // Two people signed in at once from a browser in which nobody was: the later one has it, whole.
  if (from?.accountId !== to?.accountId && onto?.accountId !== to?.accountId)
    return { ...ours, before: theirs.payload };
  const clients = [from, to, onto].map((payload) => (payload?.authorizations ?? {}) as Members);
  const authorizations = withChanges(clients[0] ?? {}, clients[1] ?? {}, clients[2] ?? {});
  if (Object.keys(authorizations).length > 0) Object.assign(merged, { authorizations });
  // The cookie's value only where this request has renewed it, and the place only where somebody has signed in.
  const key = ours.key === read.key ? theirs.key : ours.key;
  return sessionRow(key, merged, {
    before: theirs,
    expiresAt: Math.max(ours.expiresAt, theirs.expiresAt),
    origin: isDeepStrictEqual(ours.origin, read.origin) ? theirs.origin : ours.origin,
  });
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
