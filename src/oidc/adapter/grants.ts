/** What a person has given one client in one session. */
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import type { EngineStore, GrantPut, GrantRow } from '../../core/stores/engine.ts';
import { currentUnit } from '../request-unit.ts';
import { adapterOf } from './model.ts';

export interface GrantDeps {
  readonly engine: EngineStore;
}

export function grantAdapter(deps: GrantDeps): Adapter {
  return adapterOf('Grant', {
    async find(id) {
      const unit = currentUnit();
      const known = unit?.grants.get(id) ?? unit?.reads.grants.get(id);
      if (known) return grantPayload(known);
      const read = await deps.engine.readGrant(id);
      if (read && unit) {
        unit.reads.grants.set(id, read.grant);
        unit.reads.accounts.set(read.grant.subject, read.account);
      }
      return read && grantPayload(read.grant);
    },
    async upsert(id, payload) {
      const { jti: _value, ...rest } = payload;
      const unit = currentUnit();
      const row: GrantPut = {
        id,
        clientId: String(payload.clientId),
        subject: String(payload.accountId),
        payload: JSON.stringify(rest),
        expiresAt: payload.exp ?? nowSeconds(),
        rests: unit?.grants.get(id)?.rests ?? (unit?.reads.grants.get(id) && 'grant'),
      };
      if (unit) unit.grants.set(id, row);
      else await deps.engine.commit({ grants: [row] });
    },
    async destroy(id) {
      await revokeGrant(deps, id);
    },
  });
}

function grantPayload(row: GrantRow): AdapterPayload {
  return Object.assign(JSON.parse(row.payload), { jti: row.id });
}

/** Grant and tokens together, once per request however many models ask for it. */
export function revokeGrant(deps: GrantDeps, id: string): Promise<void> {
  const unit = currentUnit();
  let revoking = unit?.revoked.get(id);
  if (!revoking) {
    revoking = deps.engine.revokeGrant(id);
    unit?.revoked.set(id, revoking);
    unit?.grants.delete(id);
  }
  return revoking;
}
