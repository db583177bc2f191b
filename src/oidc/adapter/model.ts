/** What the adapters of the engine's models share. */
import type { Adapter } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { EngineStore, TokenBundle, TokenRow } from '../../core/stores/engine.ts';
import { currentUnit } from '../request-unit.ts';
import { orUnavailable } from '../unavailable.ts';

type Calls = Partial<Omit<Adapter, 'findByUserCode'>>;

/** Fills in what a model never calls, and words a database that is down for the engine. */
export function adapterOf(model: string, calls: Calls): Adapter {
  const guard =
    <A extends unknown[], R>(call: ((...args: A) => Promise<R>) | undefined, name: string) =>
    (...args: A): Promise<R> => {
      if (!call) throw new Error(`the engine does not ${name} a ${model} here`);
      return orUnavailable(() => call(...args));
    };
  return {
    find: guard(calls.find, 'find'),
    findByUid: guard(calls.findByUid, 'find by uid'),
    findByUserCode: guard(undefined, 'find by user code'),
    upsert: guard(calls.upsert, 'save'),
    consume: guard(calls.consume, 'consume'),
    destroy: guard(calls.destroy, 'destroy'),
    revokeByGrantId: guard(calls.revokeByGrantId, 'revoke'),
  };
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
