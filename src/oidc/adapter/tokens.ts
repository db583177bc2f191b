/** Codes, tokens and used assertions, and their grants: what a user has allowed one client in one session. */
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { successorOf } from '../../core/kernel/reuse-window.ts';
import type { EngineStore, GrantPut, GrantRow, TokenBundle, TokenRow } from '../../core/stores/engine.ts';
import { currentUnit, readRecord, saveRecord, useUp } from '../request-unit.ts';

export interface TokenDeps {
  readonly engine: EngineStore;
  readonly clients: CachedClients;
  /** Seconds in which a replaced refresh token of this client still returns its successor; 0: never. */
  readonly reuseWindowOf: (clientId: string | null) => Promise<number>;
}

export function tokenCalls(deps: TokenDeps, model: string): Partial<Adapter> {
  return {
    async find(value) {
      // Only the insertion below decides whether a value is used for the first time.
      if (model === 'ReplayDetection') return undefined;
      // These endpoints do not use what the engine finds; about-tokens.ts answers instead.
      if (notAsked.has(Provider.ctx?.oidc?.route)) return undefined;
      return readToken(deps, model, value, digest(value));
    },
    async upsert(value, payload) {
      // The time of a sign-in elsewhere is unknown: 0. `auth_time` is optional (OpenID Connect Core, section 2).
      const row = tokenRow(model, value, { ...payload, authTime: payload.authTime || undefined });
      if (model !== 'ReplayDetection') return saveRecord(deps.engine, row, value);
      // Of parallel requests only one can insert (security.md C7, D8). For assertions, the words are the engine's.
      const isProof = currentUnit()?.provesKey === true;
      // The `jti` of an assertion and of a proof may be the same.
      const used = isProof ? { ...row, key: digest(`proof ${value}`) } : row;
      const first = await deps.engine.insertOnce(used, nowSeconds());
      if (first) return;
      if (!isProof) throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
      throw new errors.InvalidDpopProof('the DPoP proof has been used before');
    },
    consume: async (value) => useUp(model, value),
    destroy: (value) => deps.engine.deleteToken(digest(value)),
    async revokeByGrantId(grantId) {
      await revokeGrant(deps, grantId);
    },
  };
}

const notAsked: ReadonlySet<string | undefined> = new Set(['introspection', 'revocation']);

/** `value` becomes the payload's own name, by which the engine saves and consumes it. */
export async function readToken(
  deps: TokenDeps,
  model: string,
  value: string,
  key: string,
): Promise<AdapterPayload | undefined> {
  const bundle = await readRecord(deps.engine, key);
  if (bundle?.token.kind !== model || !(await stillGood(deps, bundle))) return undefined;
  const payload: AdapterPayload = Object.assign(JSON.parse(bundle.token.payload), { jti: value });
  if (bundle.token.consumedAt !== null) await applyConsumption(deps, model, bundle, value, payload);
  return payload;
}

/** A token ends with its client, its grant and its account. */
async function stillGood(deps: TokenDeps, { token, grant, account }: TokenBundle): Promise<boolean> {
  if (token.clientId) {
    const client = await deps.clients.find(token.clientId);
    if (!client || client.disabledAt !== null) return false;
  }
  if (token.grantId && !grant) return false;
  return !token.subject || account?.disabledAt === null;
}

async function applyConsumption(
  deps: TokenDeps,
  model: string,
  bundle: TokenBundle,
  value: string,
  payload: AdapterPayload,
): Promise<void> {
  const unit = currentUnit();
  if (unit && model === 'RefreshToken' && Provider.ctx?.oidc?.route === 'token') {
    const { token } = bundle;
    const successor = successorOf(token, value, await deps.reuseWindowOf(token.clientId));
    if (successor !== undefined) {
      unit.repeat = { key: token.key, successor };
      return;
    }
  }
  payload.consumed = bundle.token.consumedAt ?? true;
  // A used code must still end its tokens after it has expired (RFC 6749, section 4.1.2).
  if (model === 'AuthorizationCode' || model === 'DeviceCode')
    payload.exp = Math.max(payload.exp ?? 0, nowSeconds() + 60);
}

export function tokenRow(kind: string, value: string, payload: AdapterPayload): TokenRow {
  const { jti: _value, ...rest } = payload;
  return {
    key: digest(value),
    kind,
    payload: JSON.stringify(rest),
    grantId: payload.grantId ?? null,
    clientId: payload.clientId ?? null,
    subject: payload.accountId ?? null,
    sessionUid: payload.expiresWithSession ? (payload.sessionUid ?? null) : null,
    expiresAt: payload.exp ?? null,
  };
}

export function grantCalls(deps: Pick<TokenDeps, 'engine'>): Partial<Adapter> {
  return {
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
  };
}

function grantPayload(row: GrantRow): AdapterPayload {
  return Object.assign(JSON.parse(row.payload), { jti: row.id });
}

/** Revokes grant and tokens together, once per request, for all models that ask. */
function revokeGrant(deps: Pick<TokenDeps, 'engine'>, id: string): Promise<boolean> {
  const unit = currentUnit();
  let revoking = unit?.revoked.get(id);
  if (!revoking) {
    revoking = deps.engine.revokeGrant(id);
    unit?.revoked.set(id, revoking);
    unit?.grants.delete(id);
  }
  return revoking;
}
