/**
 * The `state` of a sign-in at another provider: where it belongs and what was asked for, sealed, so that the provider reads nothing
 * in it and nobody else can make one. It is good once and for ten minutes; nonce and PKCE verifier follow from it under this
 * server's key, so the database holds no more than its digest.
 */
import { createHmac } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, digest, randomToken, seal, unseal } from '../../base/secrets.ts';
import type { LinkStore } from '../stores/links.ts';

/** To whom the answer belongs: one interaction, or one session of one person. The pages there know the browser by its cookie. */
export type Place =
  | { readonly kind: 'interaction'; readonly uid: string }
  | { readonly kind: 'account'; readonly subject: string; readonly session: string };

export function samePlace(a: Place, b: Place): boolean {
  if (a.kind === 'interaction') return b.kind === 'interaction' && a.uid === b.uid;
  return b.kind === 'account' && a.subject === b.subject && a.session === b.session;
}

/** What the application asked of the sign-in (OpenID Connect Core, section 3.1.2.1). */
export interface Freshness {
  /** Seconds. */
  readonly maxAge?: number | undefined;
  /** `prompt=login`. */
  readonly login: boolean;
}

interface UpstreamState {
  readonly provider: string;
  readonly place: Place;
  readonly fresh: Freshness;
  /** When the person was sent away: seconds since the epoch. */
  readonly at: number;
}

interface UpstreamSecrets {
  readonly nonce: string;
  readonly verifier: string;
}

interface UpstreamStates {
  make(about: Omit<UpstreamState, 'at'>): Promise<string>;
  /** Undefined where this server did not make it. Says nothing of whether it is still good, and uses nothing up. */
  read(state: string): UpstreamState | undefined;
  /** Of any number of calls one gets true, within ten minutes. */
  take(state: string): Promise<boolean>;
  secrets(state: string): UpstreamSecrets;
}

const goodSeconds = 600;
const longest = 2048;

export function createUpstreamStates(parts: { links: LinkStore; secretKey: string }): UpstreamStates {
  const { links } = parts;
  const sealKey = deriveKey(parts.secretKey, 'upstream-state');
  const secretKey = deriveKey(parts.secretKey, 'upstream-secrets');
  const derived = (what: string, state: string): string =>
    createHmac('sha256', secretKey).update(`${what}:${state}`).digest('base64url');

  return {
    async make(about) {
      const at = nowSeconds();
      const state = seal(sealKey, JSON.stringify({ ...about, at, salt: randomToken(16) }), 'state');
      const key = digest(state);
      await links.insert({ key, purpose: 'upstream', subject: null, detail: {}, expiresAt: at + goodSeconds });
      return state;
    },
    read(state) {
      if (state.length > longest) return undefined;
      const opened = unseal(sealKey, state, 'state');
      return opened === undefined ? undefined : (JSON.parse(opened) as UpstreamState);
    },
    async take(state) {
      const link = await links.take(digest(state));
      return link?.purpose === 'upstream' && link.expiresAt > nowSeconds();
    },
    secrets: (state) => ({ nonce: derived('nonce', state), verifier: derived('verifier', state) }),
  };
}
