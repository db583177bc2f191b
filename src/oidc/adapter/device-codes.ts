/**
 * Device codes (RFC 8628). The device holds the device code, and the person types the user code; both are stored as
 * digests only. A browser that types a user code gets the row's name in place of the device code, which it must not
 * know. The name opens the row on the person's way through the pages, and never at the token endpoint.
 */
import Provider, { type Adapter, type AdapterPayload, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import { digest } from '../../base/secrets.ts';
import type { DeviceCodes } from '../../core/device-codes/device-codes.ts';
import { userCodeOf } from '../../core/device-codes/user-code.ts';
import { callerOf } from '../../http/caller.ts';
import { TooManyCodes } from '../device/too-many-codes.ts';
import { nameCheck } from '../refusals/record.ts';
import { saveRecord } from '../request-unit.ts';
import { readToken, type TokenDeps, tokenCalls, tokenRow } from './tokens.ts';

export interface DeviceCodeDeps extends TokenDeps {
  readonly deviceCodes: DeviceCodes;
}

const kind = 'DeviceCode';
const rowName = 'row:';

export function deviceCodeCalls(deps: DeviceCodeDeps): Partial<Adapter> {
  const { deviceCodes, engine } = deps;

  async function begin(ctx: KoaContextWithOIDC, tokenKey: string, { userCode, exp }: AdapterPayload): Promise<void> {
    const wait = ctx.oidc.client?.clientAuthMethod === 'none' ? await deviceCodes.mayBegin(callerOf(ctx)) : 0;
    if (wait > 0) {
      nameCheck(ctx, 'device_throttled');
      ctx.set('Retry-After', String(wait));
      throw new TooManyCodes(wait);
    }
    // Another device shows the same code. The next request gets another one.
    if (!(await deviceCodes.begin(String(userCode), tokenKey, Number(exp)))) throw new Unavailable('user code');
  }

  return {
    ...tokenCalls(deps, kind),

    async find(value) {
      const { ctx } = Provider;
      if (ctx?.oidc.route === 'device_resume' && value.startsWith(rowName))
        return readToken(deps, kind, value, value.slice(rowName.length));
      const payload = await readToken(deps, kind, value, digest(value));
      if (payload && ctx?.oidc.route === 'token' && waits(payload, ctx)) await pace(deps, ctx, digest(value));
      return payload;
    },

    async findByUserCode(typed) {
      const { ctx } = Provider;
      const userCode = userCodeOf(typed);
      if (!ctx || userCode === undefined) return undefined;
      const { session, params } = ctx.oidc;
      const uid = session?.uid ?? '';
      const typedIn = { caller: callerOf(ctx, 'browser'), session: uid, subject: session?.accountId };
      const found = await deviceCodes.find(userCode, typedIn);
      if (found.outcome === 'throttled') {
        nameCheck(ctx, 'user_code_throttled');
        throw new TooManyCodes(found.retryAfter);
      }
      if (found.outcome === 'unknown') return undefined;
      const payload = await readToken(deps, kind, rowName + found.tokenKey, found.tokenKey);
      if (!payload) return undefined;
      const decides = ctx.method === 'POST' && Boolean(params?.confirm ?? params?.abort);
      const isFree =
        decides && isOpen(payload)
          ? await deviceCodes.claim(userCode, uid)
          : found.browser === null || found.browser === uid;
      // The engine's own mark would also stop the browser that has begun to decide, after a reload or in another tab.
      return { ...payload, userCode: typed, inFlight: !isFree };
    },

    async upsert(value, payload) {
      const { userCode: _userCode, inFlight: _inFlight, ...rest } = payload;
      const { ctx } = Provider;
      const key = value.startsWith(rowName) ? value.slice(rowName.length) : digest(value);
      if (ctx?.oidc.route === 'device_authorization') await begin(ctx, key, payload);
      await saveRecord(engine, { ...tokenRow(kind, value, rest), key }, value);
    },
  };
}

const isOpen = ({ accountId, error, exp = 0 }: AdapterPayload): boolean =>
  accountId === undefined && error === undefined && exp > nowSeconds();

/** The client that asks is the one that began, and its person has not decided yet. */
function waits(payload: AdapterPayload, { oidc }: KoaContextWithOIDC): boolean {
  return isOpen(payload) && payload.clientId === oidc.client?.clientId;
}

/** `Retry-After` tells the interval, which `slow_down` has just raised. */
async function pace({ deviceCodes }: DeviceCodeDeps, ctx: KoaContextWithOIDC, key: string): Promise<void> {
  const { early, interval } = await deviceCodes.poll(key);
  ctx.set('Retry-After', String(interval));
  if (!early) return;
  nameCheck(ctx, 'device_too_fast');
  throw new errors.SlowDown(`wait ${interval} seconds between two requests`);
}
