/**
 * The credentials of a client: its secrets (client-secrets) and, if it works without a user, its tokens
 * (client-tokens).
 */
import { nowSeconds } from '../../base/clock.ts';
import type { ClientRecord, ClientSecret, ClientToken } from '../stores/clients.ts';
import {
  isLive,
  needsSecret,
  newSecret,
  rotated,
  type SecretOptions,
  secretId,
  secretName,
  withSecret,
} from './client-secrets.ts';
import { clientTokensMax, newClientToken } from './client-tokens.ts';

export type Unknown = { readonly outcome: 'unknown' };
/**
 * `secret`: made because the change needs one; shown once. `dropped`: what a change of metadata sent and is not used.
 */
export type Updated = {
  readonly outcome: 'updated';
  readonly client: ClientRecord;
  readonly secret?: string;
  readonly dropped?: readonly string[];
};
export type Rotated = { readonly outcome: 'rotated'; readonly client: ClientRecord; readonly secret: string };
/** `value` is shown once. */
type SecretAdded = {
  readonly outcome: 'added';
  readonly client: ClientRecord;
  readonly secret: ClientSecret;
  readonly value: string;
};
type TooManySecrets = { readonly outcome: 'too-many' };
/** Without this secret, the client could not authenticate. */
type LastSecret = { readonly outcome: 'last' };
type NoSuchSecret = { readonly outcome: 'no-such-secret' };
/** `value` is shown once. */
type TokenIssued = {
  readonly outcome: 'issued';
  readonly client: ClientRecord;
  readonly token: ClientToken;
  readonly value: string;
};
type TooManyTokens = { readonly outcome: 'too-many' };
/** The client authenticates without a secret. */
type Secretless = { readonly outcome: 'secretless' };

type RotateOutcome = Rotated | NoSuchSecret | TooManySecrets | Secretless | Unknown;

export interface ClientCredentials {
  /** Replaces the newest secret of that name (empty: the unnamed one), which works until the overlap ends. */
  rotateSecret(id: string, name?: string): Promise<RotateOutcome>;
  /** Adds a secret beside the existing ones. */
  addSecret(id: string, options: SecretOptions): Promise<SecretAdded | TooManySecrets | Secretless | Unknown>;
  /** `secret`: its public id. The secret ends here at once and on every node within a second. */
  removeSecret(id: string, secret: string): Promise<Updated | LastSecret | NoSuchSecret | Unknown>;
  /**
   * Makes a token for a program without a user (core/clients/client-tokens). It is valid until it is revoked, or for
   * `lifetime` seconds.
   */
  issueToken(
    id: string,
    options: { label: string; lifetime: number | null },
  ): Promise<TokenIssued | TooManyTokens | Unknown>;
  /** Ends the token and the sessions opened with it. */
  revokeToken(id: string, tokenId: string): Promise<Updated | Unknown>;
}

/**
 * Edits the newest version of a client, and again if another change was faster. `instead`: changes nothing.
 * `endConsents`: what people allowed to the client ends with the change.
 */
export type Change = <R>(
  id: string,
  edit: (
    client: ClientRecord,
  ) => Promise<{ client: ClientRecord; endConsents?: boolean; result: (stored: ClientRecord) => R } | { instead: R }>,
) => Promise<R | Unknown>;

export function createClientCredentials(change: Change, secretOverlapSeconds: number): ClientCredentials {
  return {
    rotateSecret: (id, name = '') =>
      change<RotateOutcome>(id, async (client) => {
        if (!needsSecret(client.metadata)) return { instead: { outcome: 'secretless' } };
        if (name !== '' && !client.secrets.some((secret) => secretName(secret) === name))
          return { instead: { outcome: 'no-such-secret' } };
        const made = rotated(client.secrets, name, nowSeconds(), secretOverlapSeconds);
        if (made === undefined) return { instead: { outcome: 'too-many' } };
        return {
          client: { ...client, secrets: made.secrets },
          result: (stored) => ({ outcome: 'rotated', client: stored, secret: made.made.value }),
        };
      }),

    addSecret: (id, options) =>
      change<SecretAdded | TooManySecrets | Secretless>(id, async (client) => {
        if (!needsSecret(client.metadata)) return { instead: { outcome: 'secretless' } };
        const now = nowSeconds();
        const { value, stored: secret } = newSecret(now, options);
        const secrets = withSecret(client.secrets, secret, now);
        if (secrets === undefined) return { instead: { outcome: 'too-many' } };
        return {
          client: { ...client, secrets },
          result: (stored) => ({ outcome: 'added', client: stored, secret, value }),
        };
      }),

    removeSecret: (id, wanted) =>
      change<Updated | LastSecret | NoSuchSecret>(id, async (client) => {
        const now = nowSeconds();
        const secrets = client.secrets.filter((secret) => secretId(secret) !== wanted);
        if (secrets.length === client.secrets.length) return { instead: { outcome: 'no-such-secret' } };
        const live = (some: readonly ClientSecret[]) => some.some((secret) => isLive(secret, now));
        // The engine refuses a client without secrets. Without a live one, the application could not authenticate.
        if (secrets.length === 0 || (live(client.secrets) && !live(secrets))) return { instead: { outcome: 'last' } };
        return { client: { ...client, secrets }, result: (stored) => ({ outcome: 'updated', client: stored }) };
      }),

    issueToken: (id, { label, lifetime }) =>
      change<TokenIssued | TooManyTokens>(id, async (client) => {
        const now = nowSeconds();
        const live = client.tokens.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
        if (live.length >= clientTokensMax) return { instead: { outcome: 'too-many' } };
        const { value, stored: token } = newClientToken(id, { label, lifetime, now });
        return {
          client: { ...client, tokens: [token, ...live] },
          result: (stored) => ({ outcome: 'issued', client: stored, token, value }),
        };
      }),

    revokeToken: (id, tokenId) =>
      change<Updated | Unknown>(id, async (client) => {
        const tokens = client.tokens.filter((token) => token.id !== tokenId);
        if (tokens.length === client.tokens.length) return { instead: { outcome: 'unknown' } };
        return { client: { ...client, tokens }, result: (stored) => ({ outcome: 'updated', client: stored }) };
      }),
  };
}
