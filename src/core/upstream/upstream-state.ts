/**
 * The `state` of a sign-in at an upstream provider: its place and the requested freshness, sealed so that only this
 * server can read or make one. It works once, for ten minutes. Nonce and PKCE verifier derive from it and this server's
 * key, so the database holds only its digest.
 */
import { createHmac } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, digest, randomToken, seal, unseal } from '../../base/secrets.ts';
import type { LinkStore } from '../stores/links.ts';

/** Where the answer belongs: one interaction, or one session of one user. The pages know its browser by the cookie. */
export type Place =
  | { readonly kind: 'interaction'; readonly uid: string }
  | { readonly kind: 'account'; readonly subject: string; readonly session: string };

export function samePlace(a: Place, b: Place): boolean {
  if (a.kind === 'interaction') return b.kind === 'interaction' && a.uid === b.uid;
  return b.kind === 'account' && a.subject === b.subject && a.session === b.session;
}

/** What the client requires of the sign-in (OpenID Connect Core, section 3.1.2.1). */
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
  /** When the browser left for the provider: seconds since the epoch. */
  readonly at: number;
}

interface UpstreamSecrets {
  readonly nonce: string;
  readonly verifier: string;
}

interface UpstreamStates {
  make(about: Omit<UpstreamState, 'at'>): Promise<string>;
  /**
   * Returns undefined if this server did not make it. Does not check whether it is still valid, and does not consume
   * it.
   */
  read(state: string): UpstreamState | undefined;
  /** Consumes the state. Returns true once, within ten minutes. */
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
