/**
 * What one protocol request reads and what it is going to write.
 *
 * The engine reads and writes record by record; here its reads are answered from the few statements that already brought the
 * rows along, and its writes wait until the whole answer is known, so that they can be committed together (unit-of-work.ts).
 * A unit belongs to one request and is found through `Provider.ctx`; outside the engine's own routes there is none.
 */
import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../base/clock.ts';
import { digest } from '../base/secrets.ts';
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

export interface RequestUnit {
  consume:
    | (NonNullable<Unit['consume']> & {
        readonly kind: string;
        readonly value: string;
        readonly grantId: string | null;
      })
    | undefined;
  /** By key, so that a second save of a record replaces the first. */
  readonly tokens: Map<string, TokenRow>;
  /** The values behind the keys of `tokens`: needed to seal a successor. */
  readonly values: Map<string, string>;
  readonly grants: Map<string, GrantPut>;
  readonly sessions: Map<string, NonNullable<Unit['sessions']>[number]>;
  /** Uids of sessions that the engine destroyed; one that is saved again under a new value is replaced, not ended. */
  readonly destroyedSessions: Set<string>;
  readonly reads: {
    readonly tokens: Map<string, Promise<TokenBundle | undefined>>;
    readonly grants: Map<string, GrantRow | undefined>;
    readonly accounts: Map<string, Account | undefined>;
    readonly sessionsByUid: Map<string, StoredSession | undefined>;
    readonly bundles: Map<string, Promise<SessionBundle | undefined>>;
  };
  /** Grants being revoked: the engine asks once per model, one statement does it. */
  readonly revoked: Map<string, Promise<void>>;
  /** The presented refresh token was replaced a moment ago: this is what it was replaced with. */
  successor: string | undefined;
}

/** On the request's context itself, for the sake of the garbage collector. */
const unitOfContext = Symbol('unit');
type WithUnit = { [unitOfContext]?: RequestUnit };

/** The unit of the request that is being handled; undefined outside the engine's routes. */
export function currentUnit(): RequestUnit | undefined {
  const ctx: KoaContextWithOIDC | undefined = Provider.ctx;
  if (!ctx?.oidc) return undefined;
  let unit = (ctx as WithUnit)[unitOfContext];
  if (!unit) {
    unit = {
      consume: undefined,
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
      successor: undefined,
    };
    (ctx as WithUnit)[unitOfContext] = unit;
  }
  return unit;
}

/** The unit of this request, if its handling touched the storage at all. */
export function unitOf(ctx: object): RequestUnit | undefined {
  return (ctx as WithUnit)[unitOfContext];
}

// Records that a caller presents by value (tokens, codes, interactions): read once, written with the rest of a request.

export async function readRecord(engine: EngineStore, key: string): Promise<TokenBundle | undefined> {
  const unit = currentUnit();
  let reading = unit?.reads.tokens.get(key);
  if (!reading) {
    // Several kinds may be looked for at once: the row says its kind, so one read answers all of them.
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

/** Uses a single-use record up, with everything its request writes. */
export async function useUp(engine: EngineStore, kind: string, value: string): Promise<void> {
  const unit = currentUnit();
  if (!unit) throw new Error('a single-use record can only be used up by a request');
  if (unit.consume) throw new Error('a request can use up only one single-use record');
  const bundle = await readRecord(engine, digest(value));
  unit.consume = { key: digest(value), at: nowSeconds(), kind, value, grantId: bundle?.token.grantId ?? null };
}
