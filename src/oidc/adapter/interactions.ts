/** The interactions of browsers: sealed, and consumed together with all writes of the last request. */
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { deriveKey, digest, seal, unseal } from '../../base/secrets.ts';
import type { EngineStore, TokenBundle, TokenRow } from '../../core/stores/engine.ts';
import { currentUnit, readRecord, saveRecord, useUp } from '../request-unit.ts';
import { keepPushed } from './pushed-requests.ts';

const kind = 'Interaction';
const resumes: ReadonlySet<string | undefined> = new Set(['resume', 'device_resume']);

export function interactionCalls({ engine }: { readonly engine: EngineStore }): Partial<Adapter> {
  return {
    async find(value) {
      const bundle = await readRecord(engine, digest(value));
      return bundle?.token.kind === kind && bundle.token.consumedAt === null
        ? openInteraction(bundle, value)
        : undefined;
    },
    async upsert(value, payload) {
      const pushed: unknown = payload.parJti;
      // The pages save an interaction as it began.
      if (typeof pushed === 'string' && currentUnit()) await keepPushed(engine, pushed, payload.exp ?? 0);
      await saveRecord(engine, sealInteraction(value, payload), value);
    },
    // Consumed with all writes of the request, so that an interaction cannot be finished twice (B4).
    async destroy(value) {
      if (resumes.has(Provider.ctx?.oidc?.route)) useUp(kind, value);
      else await engine.deleteToken(digest(value));
    },
  };
}

function sealInteraction(value: string, payload: AdapterPayload): TokenRow {
  const { jti: _value, ...rest } = payload;
  // The engine's payload has the value of the session cookie, which is never read back.
  const session = payload.session ? { ...payload.session, cookie: undefined } : undefined;
  const text = seal(deriveKey(value, 'interaction'), JSON.stringify({ ...rest, session }), 'interaction');
  return {
    key: digest(value),
    kind,
    payload: JSON.stringify({ sealed: text }),
    grantId: null,
    clientId: null,
    subject: null,
    sessionUid: null,
    expiresAt: payload.exp ?? null,
  };
}

/** Opens finished interactions too; the caller checks whether the interaction may still be used. */
export function openInteraction({ token }: TokenBundle, value: string): AdapterPayload | undefined {
  const { sealed } = JSON.parse(token.payload);
  const text = unseal(deriveKey(value, 'interaction'), sealed, 'interaction');
  return text === undefined ? undefined : { ...JSON.parse(text), jti: value };
}
