/**
 * The reads and the pending writes of one protocol request.
 *
 * The engine reads and writes record by record. Here, a few statements read related rows together, and writes wait
 * until the whole response is known, so that they are committed together (unit-of-work.ts). A unit belongs to one
 * request and is found through `Provider.ctx`; outside the engine's routes there is none.
 */
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../base/clock.ts';
import { digest } from '../base/secrets.ts';
import type { Successor } from '../core/kernel/reuse-window.ts';
import type { Account } from '../core/stores/accounts.ts';
import type {
  EngineStore,
  GrantPut,
  GrantRow,
  SessionBundle,
  StoredSession,
  TokenBundle,
  TokenRow,
  Unit,
} from '../core/stores/engine.ts';

interface UsedUp {
  readonly key: string;
  readonly at: number;
  readonly value: string;
}

export interface Repeat {
  /** Of the replaced token. */
  readonly key: string;
  readonly successor: Successor;
}

export interface RequestUnit {
  /** By kind: a request consumes at most one record of a kind. */
  readonly consume: Map<string, UsedUp>;
  /** By key: a second save of a record replaces the first. */
  readonly tokens: Map<string, TokenRow>;
  /** The values behind the keys of `tokens`, needed to seal a successor. */
  readonly values: Map<string, string>;
  readonly grants: Map<string, GrantPut>;
  readonly sessions: Map<string, NonNullable<Unit['sessions']>[number]>;
  /**
   * UIDs of sessions that the engine destroyed. A session that is saved again under a new value is replaced, not ended.
   */
  readonly destroyedSessions: Set<string>;
  readonly reads: {
    readonly tokens: Map<string, Promise<TokenBundle | undefined>>;
    readonly grants: Map<string, GrantRow | undefined>;
    readonly accounts: Map<string, Account | undefined>;
    readonly sessionsByUid: Map<string, StoredSession | undefined>;
    readonly bundles: Map<string, Promise<SessionBundle | undefined>>;
  };
  /** Grants being revoked, and whether they existed. The engine asks once per model; one statement revokes all. */
  readonly revoked: Map<string, Promise<boolean>>;
  /** Set if the presented refresh token was replaced within the reuse window of its client. */
  repeat: Repeat | undefined;
  /** The client has authenticated and sent a DPoP proof, so a value used once from here on is that proof's. */
  provesKey: boolean;
}

/** Kept on the context itself, which costs the garbage collector less than a WeakMap. */
const unitOfContext = Symbol('unit');
type WithUnit = { [unitOfContext]?: RequestUnit };

/** The unit of the current request; undefined outside the engine's routes. */
export function currentUnit(): RequestUnit | undefined {
  const ctx: KoaContextWithOIDC | undefined = Provider.ctx;
  if (!ctx?.oidc) return undefined;
  let unit = (ctx as WithUnit)[unitOfContext];
  if (!unit) {
    unit = {
      consume: new Map(),
      tokens: new Map(),
      values: new Map(),
      grants: new Map(),
      sessions: new Map(),
      destroyedSessions: new Set(),
      reads: {
        tokens: new Map(),
        grants: new Map(),
        accounts: new Map(),
        sessionsByUid: new Map(),
        bundles: new Map(),
      },
      revoked: new Map(),
      repeat: undefined,
      provesKey: false,
    };
    (ctx as WithUnit)[unitOfContext] = unit;
  }
  return unit;
}

/** The unit of this request; undefined if the request used no storage. */
export function unitOf(ctx: object): RequestUnit | undefined {
  return (ctx as WithUnit)[unitOfContext];
}

// Records that a caller presents by value (tokens, codes, interactions). Each is read once per request.

export async function readRecord(engine: EngineStore, key: string): Promise<TokenBundle | undefined> {
  const unit = currentUnit();
  let reading = unit?.reads.tokens.get(key);
  if (!reading) {
    // The engine may look for several kinds at once. The row names its kind, so one read answers all.
    reading = engine.readToken(key);
    unit?.reads.tokens.set(key, reading);
  }
  const bundle = await reading;
  if (bundle && unit) {
    const { token, grant, account, session } = bundle;
    if (token.grantId) unit.reads.grants.set(token.grantId, grant);
    if (token.subject) unit.reads.accounts.set(token.subject, account);
    if (token.sessionUid) unit.reads.sessionsByUid.set(token.sessionUid, session);
  }
  return bundle;
}

export async function saveRecord(engine: EngineStore, row: TokenRow, value: string): Promise<void> {
  const unit = currentUnit();
  if (!unit) {
    await engine.commit({ tokens: [row] });
    return;
  }
  unit.tokens.set(row.key, row);
  unit.values.set(row.key, value);
  unit.reads.tokens.delete(row.key);
}

/** Consumes a single-use record together with all other writes of the request: all or nothing. */
export function useUp(kind: string, value: string, key = digest(value)): void {
  const unit = currentUnit();
  if (!unit) throw new Error('only a request can consume a single-use record');
  if (unit.consume.has(kind)) throw new Error('a request can consume only one record of a kind');
  unit.consume.set(kind, { key, at: nowSeconds(), value });
}
