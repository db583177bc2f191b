/** What a browser is in the middle of: sealed, and used up with everything its last request writes. */
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { deriveKey, digest, seal, unseal } from '../../base/secrets.ts';
import type { EngineStore, TokenBundle, TokenRow } from '../../core/stores/engine.ts';
import { readRecord, saveRecord, useUp } from '../request-unit.ts';

const kind = 'Interaction';

export function interactionCalls({ engine }: { readonly engine: EngineStore }): Partial<Adapter> {
  return {
    async find(value) {
      const bundle = await readRecord(engine, digest(value));
      return bundle?.token.kind === kind && bundle.token.consumedAt === null
        ? openInteraction(bundle, value)
        : undefined;
    },
    upsert: (value, payload) => saveRecord(engine, sealInteraction(value, payload), value),
    // A finished interaction is used up with everything its request writes, so that it cannot be finished twice (B4).
    destroy: (value) =>
      Provider.ctx?.oidc?.route === 'resume' ? useUp(engine, kind, value) : engine.deleteToken(digest(value)),
  };
}

function sealInteraction(value: string, payload: AdapterPayload): TokenRow {
  const { jti: _value, ...rest } = payload;
  // The session cookie's value rides along in the engine's payload and is never read back.
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

/** Finished ones too: whether it may still be used is for the caller to ask. */
export function openInteraction({ token }: TokenBundle, value: string): AdapterPayload | undefined {
  const { sealed } = JSON.parse(token.payload);
  const text = unseal(deriveKey(value, 'interaction'), sealed, 'interaction');
  return text === undefined ? undefined : { ...JSON.parse(text), jti: value };
}
