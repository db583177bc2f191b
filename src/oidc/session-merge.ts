/**
 * Two requests of one browser change its session at the same moment: two tabs, or several applications that each ask in a hidden
 * frame. The engine knows one copy of a session and writes all of it, so the later write would undo the earlier one, and the
 * application whose part got lost would find its refresh token dead. Here the later one puts its own change on top.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AdapterPayload } from 'oidc-provider';
import type { SessionPut, StoredSession } from '../core/stores.ts';

type Members = Record<string, unknown>;

/** A session row from the engine's payload (without its value). */
export function sessionRow(key: string, payload: AdapterPayload, before: string | null, expiresAt: number): SessionPut {
  const grants: Record<string, string> = {};
  for (const [clientId, { grantId }] of Object.entries(payload.authorizations ?? {})) {
    if (grantId) grants[clientId] = grantId;
  }
  const text = JSON.stringify(payload);
  return {
    key,
    uid: String(payload.uid),
    subject: payload.accountId ?? null,
    payload: text,
    grants,
    expiresAt: payload.exp ?? expiresAt,
    before,
  };
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
  // The cookie's value only where this request has renewed it.
  const key = ours.key === read.key ? theirs.key : ours.key;
  return sessionRow(key, merged, theirs.payload, Math.max(ours.expiresAt, theirs.expiresAt));
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
