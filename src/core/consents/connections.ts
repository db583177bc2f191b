/**
 * The applications that a user has allowed, from stored consents and from the grants of live sessions. An application
 * that a program allowed with the user's token has only grants. One call revokes both.
 */
import { nowSeconds } from '../../base/clock.ts';
import { accountClient } from '../clients/account-client.ts';
import { type Asked, together } from '../clients/consent-policy.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { ConsentStore } from '../stores/consents.ts';
import type { EngineStore, GrantRow } from '../stores/engine.ts';

export interface Connection {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** API identifier -> scopes. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  /** Seconds since the epoch. */
  readonly since: number;
  /** When it last got a token, to about ten minutes; null: unknown. */
  readonly lastUsedAt: number | null;
}

/** Throws `Unavailable` if storage cannot answer. */
interface Connections {
  /** The most recently used or granted come first. */
  list(subject: string): Promise<Connection[]>;
  /** Ends its tokens at once; it has to ask for consent again. Returns false if there was nothing to revoke. */
  end(subject: string, clientId: string, caller: Caller): Promise<boolean>;
}

const grantsMax = 1000;

export function createConnections(deps: {
  consents: Pick<ConsentStore, 'list'>;
  engine: Pick<EngineStore, 'listGrants' | 'revokeGrantsOf'>;
  audit: Audit;
}): Connections {
  return {
    async list(subject) {
      const [consents, grants] = await Promise.all([
        deps.consents.list(subject),
        deps.engine.listGrants(subject, grantsMax),
      ]);
      const found = new Map<string, Connection>();
      for (const { clientId, scopes, claims, resources, createdAt, updatedAt, lastUsedAt } of consents) {
        const since = Math.min(createdAt || updatedAt, updatedAt);
        found.set(clientId, { clientId, scopes, claims, resources, since, lastUsedAt });
      }
      const now = nowSeconds();
      for (const grant of grants.filter(({ expiresAt }) => expiresAt > now)) {
        const { since, ...allowed } = readGrant(grant);
        const known = found.get(grant.clientId);
        found.set(grant.clientId, {
          clientId: grant.clientId,
          ...(known ? together(known, allowed) : allowed),
          since: Math.min(known?.since ?? since, since),
          lastUsedAt: known?.lastUsedAt ?? null,
        });
      }
      found.delete(accountClient);
      const latest = ({ since, lastUsedAt }: Connection) => Math.max(since, lastUsedAt ?? 0);
      return [...found.values()].sort((a, b) => latest(b) - latest(a));
    },

    async end(subject, clientId, caller) {
      if (clientId === accountClient || !(await deps.engine.revokeGrantsOf(subject, clientId))) return false;
      await deps.audit.record('consent.revoked', { subject, clientId, caller, detail: { via: caller.via } });
      return true;
    },
  };
}

/** The engine's format: scopes in one string, identity scopes apart from those of APIs. */
function readGrant({ payload }: GrantRow): Asked & { readonly since: number } {
  const { openid, resources, iat } = JSON.parse(payload) as {
    openid?: { scope?: string; claims?: string[] };
    resources?: Record<string, string>;
    iat?: number;
  };
  return {
    scopes: words(openid?.scope),
    claims: openid?.claims ?? [],
    resources: Object.fromEntries(Object.entries(resources ?? {}).map(([api, scope]) => [api, words(scope)])),
    since: iat ?? nowSeconds(),
  };
}

const words = (scope: string | undefined): string[] => (scope ?? '').split(' ').filter(Boolean);
