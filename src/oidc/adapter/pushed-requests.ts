/**
 * Pushed authorization requests (RFC 9126). Each is a row, sealed under a key derived from its own value, so that its
 * parameters are in no cookie, no page and no readable column. It is consumed with all writes of the request that ends
 * the authorization; until then it may be used again.
 */
import { UnsecuredJWT } from 'jose';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, digest, randomToken, seal, unseal } from '../../base/secrets.ts';
import type { EngineStore, StoredToken, TokenRow } from '../../core/stores/engine.ts';
import { nameCheck } from '../refusals/record.ts';
import { readRecord, saveRecord, useUp } from '../request-unit.ts';
import { onBehalfOf } from '../requests/on-behalf.ts';

const kind = 'PushedAuthorizationRequest';
const purpose = 'pushed-request';

/** How long a request_uri can be used, in seconds: the engine's own limit. FAPI 2.0 allows less than 600. */
const usable = 60;

export interface PushedRequestDeps {
  readonly engine: Pick<EngineStore, 'readToken' | 'commit'>;
  /** Seconds. */
  readonly lifetimes: { readonly interaction: number };
}

interface Stored {
  readonly sealed: string;
  /** The key of the request that the client itself has pushed, if this one takes its place. */
  readonly first?: string;
}

export function pushedRequestCalls(deps: PushedRequestDeps & { readonly engine: EngineStore }): Partial<Adapter> {
  const read = async (value: string) => (await readRecord(deps.engine, digest(value)))?.token;
  return {
    async find(value) {
      const token = await read(value);
      const payload = token && openPushed(token, value);
      const ctx = Provider.ctx;
      if (!ctx || !payload) return undefined;
      // Its parameters would bypass the rules for such requests (requests/bearer-consent).
      if (onBehalfOf(ctx)) {
        nameCheck(ctx, 'pushed_for_browsers');
        return undefined;
      }
      // The engine compares the clients too, but only after it has taken over `state` for its response.
      const isTheirs = token.clientId === ctx.oidc?.client?.clientId;
      if (!isTheirs) nameCheck(ctx, 'pushed_of_another_client');
      else if (token.consumedAt !== null) nameCheck(ctx, 'pushed_used');
      // A sign-in may end later: only its beginning must come in time.
      else if (ctx.oidc.route === 'authorization' && (payload.exp ?? 0) <= nowSeconds())
        nameCheck(ctx, 'pushed_expired');
      if (!isTheirs) return undefined;
      return { ...payload, jti: value, ...(token.consumedAt !== null && { consumed: token.consumedAt }) };
    },
    async upsert(value, payload) {
      const { clientId } = Provider.ctx?.oidc?.client ?? {};
      await saveRecord(deps.engine, pushedRow(deps, value, payload, { clientId }), value);
    },
    async consume(value) {
      useUp(kind, value);
      const token = await read(value);
      const first = token && storedIn(token)?.first;
      if (first !== undefined) useUp(`first ${kind}`, '', first);
    },
  };
}

/**
 * The row outlives each interaction that begins with this request: two of them must not both end in a code. The first
 * one needs no write (`pushedRow`).
 */
export async function keepPushed(engine: EngineStore, value: string, until: number): Promise<void> {
  const token = (await readRecord(engine, digest(value)))?.token;
  const before = token && storedIn(token)?.first;
  const first = before === undefined ? undefined : (await readRecord(engine, before))?.token;
  for (const row of [token, first]) {
    if (row && Number(row.expiresAt) < until) await saveRecord(engine, { ...row, expiresAt: until }, '');
  }
}

/**
 * Pushes the request again with these parameters, in place of the client, and returns the new value. Whichever of the
 * two is used to the end consumes the first as well, so that one pushed request never gives two codes. Returns the old
 * value if that cannot be used any more: the engine says so.
 */
export async function pushAgain(
  deps: PushedRequestDeps & { readonly issuer: string },
  value: string,
  parameters: Record<string, unknown>,
): Promise<string> {
  const token = (await deps.engine.readToken(digest(value)))?.token;
  const payload = token && openPushed(token, value);
  const before = token && storedIn(token)?.first;
  const first = before === undefined ? token : (await deps.engine.readToken(before))?.token;
  if (!payload || !first || token.consumedAt !== null || first.consumedAt !== null) return value;
  const now = nowSeconds();
  const request = new UnsecuredJWT(parameters)
    .setIssuer(String(parameters.client_id))
    .setAudience(deps.issuer)
    .setIssuedAt(now)
    .setNotBefore(now)
    .setExpirationTime(now + usable)
    .encode();
  const next = randomToken();
  const again = { ...payload, request, iat: now, exp: now + usable };
  const row = pushedRow(deps, next, again, { clientId: first.clientId, first: first.key });
  await deps.engine.commit({ tokens: [row, { ...first, expiresAt: row.expiresAt }] });
  return next;
}

/** The row outlives the request by an interaction: two interactions of one request must not both end in a code. */
function pushedRow(
  { lifetimes }: PushedRequestDeps,
  value: string,
  { jti: _value, ...payload }: AdapterPayload,
  { clientId = null, first }: { readonly clientId?: string | null | undefined; readonly first?: string },
): TokenRow {
  const sealed = seal(deriveKey(value, purpose), JSON.stringify(payload), purpose);
  const stored: Stored = { sealed, ...(first !== undefined && { first }) };
  return {
    key: digest(value),
    kind,
    payload: JSON.stringify(stored),
    grantId: null,
    clientId,
    subject: null,
    sessionUid: null,
    expiresAt: (payload.exp ?? nowSeconds()) + lifetimes.interaction,
  };
}

function storedIn(token: StoredToken): Stored | undefined {
  return token.kind === kind ? JSON.parse(token.payload) : undefined;
}

function openPushed(token: StoredToken, value: string): AdapterPayload | undefined {
  const stored = storedIn(token);
  const text = stored && unseal(deriveKey(value, purpose), stored.sealed, purpose);
  return text === undefined ? undefined : JSON.parse(text);
}
