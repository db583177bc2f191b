/**
 * The signing keys: for each algorithm one next, one current and any number of previous ones, kept encrypted in the database.
 *
 * A key is published (as next) at least one JWKS max-age before it signs, so that a relying party that caches the JWKS knows it
 * by then, and stays published (as previous) until the last token signed with it has ended. What changes goes through
 * `KeyStore.replace`, which refuses when another process was faster; the loser reads again.
 */
import { createPrivateKey, createPublicKey, generateKeyPair, hash, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, seal, unseal } from '../../base/secrets.ts';
import type { KeyRow, KeyStatus, KeyStore } from '../stores/keys.ts';

export type SigningAlgorithm = KeyRow['algorithm'];
export const signingAlgorithms: readonly SigningAlgorithm[] = ['ES256', 'RS256'];

interface PublicJwk {
  readonly kid: string;
  readonly kty: string;
  readonly alg: SigningAlgorithm;
  readonly use: 'sig';
  readonly [member: string]: string;
}

export interface SigningKey {
  readonly id: string;
  readonly algorithm: SigningAlgorithm;
  readonly status: KeyStatus;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly publicJwk: PublicJwk;
  readonly createdAt: number;
  readonly currentAt: number | null;
  readonly previousAt: number | null;
}

/** The current key of each algorithm first; then next, then previous ones, newest first. */
export type KeyRing = readonly SigningKey[];

/** A private key made ahead of time, so that the slow RSA generation can run beside opening the database. */
export type NewKey = { readonly algorithm: SigningAlgorithm; readonly privateKey: KeyObject };

const generate = promisify(generateKeyPair);

/** Generates off the event loop: about 0.1 ms for ES256, 50 to 300 ms for RS256 (2048 bits). */
export async function generateKey(algorithm: SigningAlgorithm): Promise<NewKey> {
  const { privateKey } =
    algorithm === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: 2048 });
  return { algorithm, privateKey };
}

export interface KeySettings {
  readonly secretKey: string;
  /** Seconds a relying party may cache the JWKS. */
  readonly jwksMaxAge: number;
  /** Days after which the schedule rotates; 0: only by command. */
  readonly rotationDays: number;
  /** Seconds the longest-lived token signed here lasts. */
  readonly longestToken: number;
}

/** Lifetimes of what is signed here, by the names that the settings give them. */
const signed = [
  'accessToken',
  'idToken',
  'identityToken',
  'securityServiceToken',
  'tinyoauthToken',
  'spaceGuardToken',
  'spaceGuardRefresh',
] as const;

/** Seconds that the longest-lived token lasts; a day at least, for the APIs that set a lifetime of their own (core/apis). */
export function longestSigned(lifetimes: Readonly<Record<(typeof signed)[number], number>>): number {
  return Math.max(86_400, ...signed.map((name) => lifetimes[name]));
}

export interface Keys {
  /** The ring as last loaded. Throws where `load` has not succeeded yet. */
  ring(): KeyRing;
  /** Reads the ring and makes the current keys where there are none yet (the first start). */
  load(ready?: Promise<NewKey>): Promise<KeyRing>;
  /** Lets the next key sign and makes a new next one. Without `force`, refused while the next key is younger than the JWKS max-age. */
  rotate(options?: {
    force?: boolean;
  }): Promise<{ outcome: 'rotated'; ring: KeyRing } | { outcome: 'too-early'; readyAt: number }>;
  /** What the schedule does, by whoever holds the lease: missing next keys, due rotations, the end of previous keys. */
  upkeep(): Promise<void>;
}

const order: Record<KeyStatus, number> = { current: 0, next: 1, previous: 2 };

export function createKeys(store: KeyStore, settings: KeySettings): Keys {
  const sealing = deriveKey(settings.secretKey, 'signing-keys');
  let loaded: KeyRing | undefined;

  function newRow(key: NewKey, status: KeyStatus): KeyRow {
    const jwk = key.privateKey.export({ format: 'jwk' });
    const id = thumbprint(jwk);
    const now = nowSeconds();
    return {
      id,
      algorithm: key.algorithm,
      status,
      sealed: seal(sealing, JSON.stringify(jwk), id),
      createdAt: now,
      currentAt: status === 'current' ? now : null,
      previousAt: null,
    };
  }

  function open(row: KeyRow): SigningKey {
    const opened = unseal(sealing, row.sealed, row.id);
    if (opened === undefined) {
      throw new Error('a signing key in the database cannot be decrypted: SECRET_KEY is not the one it was made with');
    }
    const privateKey = createPrivateKey({ key: JSON.parse(opened), format: 'jwk' });
    const publicKey = createPublicKey(privateKey);
    const publicJwk = {
      ...publicKey.export({ format: 'jwk' }),
      kid: row.id,
      alg: row.algorithm,
      use: 'sig',
    } as PublicJwk;
    return { ...row, privateKey, publicKey, publicJwk };
  }

  function ringOf(rows: readonly KeyRow[]): KeyRing {
    const known = new Map(loaded?.map((key) => [key.id, key]));
    return rows
      .map((row): SigningKey => {
        const old = known.get(row.id);
        return old ? { ...old, status: row.status, currentAt: row.currentAt, previousAt: row.previousAt } : open(row);
      })
      .sort((a, b) => order[a.status] - order[b.status] || b.createdAt - a.createdAt);
  }

  const seenOf = (rows: readonly KeyRow[]) => rows.map(({ id, status }) => ({ id, status }));

  async function load(ready?: Promise<NewKey>): Promise<KeyRing> {
    for (;;) {
      const rows = await store.list();
      const missing = signingAlgorithms.filter(
        (alg) => !rows.some((r) => r.algorithm === alg && r.status === 'current'),
      );
      if (missing.length === 0) {
        loaded = ringOf(rows);
        return loaded;
      }
      const made = await Promise.all(
        missing.map(async (alg) => {
          const early = ready && (await ready);
          return newRow(early?.algorithm === alg ? early : await generateKey(alg), 'current');
        }),
      );
      await store.replace(seenOf(rows), made, []);
    }
  }

  async function rotate({ force = false } = {}): ReturnType<Keys['rotate']> {
    for (;;) {
      const rows = await store.list();
      const now = nowSeconds();
      const nexts = rows.filter((row) => row.status === 'next');
      const readyAt = Math.max(0, ...nexts.map((row) => row.createdAt + settings.jwksMaxAge));
      if (!force) {
        // A key that nobody has seen yet must not sign either: it is published first.
        if (await addNexts(rows)) continue;
        if (readyAt > now) return { outcome: 'too-early', readyAt };
      }

      const puts: KeyRow[] = [];
      for (const algorithm of signingAlgorithms) {
        const current = rows.find((row) => row.algorithm === algorithm && row.status === 'current');
        const next = nexts.find((row) => row.algorithm === algorithm) ?? newRow(await generateKey(algorithm), 'next');
        if (current) puts.push({ ...current, status: 'previous', previousAt: now });
        puts.push({ ...next, status: 'current', currentAt: now });
        puts.push(newRow(await generateKey(algorithm), 'next'));
      }
      if (await store.replace(seenOf(rows), puts, [])) return { outcome: 'rotated', ring: await load() };
    }
  }

  /** Makes the next keys that are lacking, and removes the rows that have ended; false where there was nothing to do. */
  async function addNexts(rows: readonly KeyRow[], ended: readonly KeyRow[] = []): Promise<boolean> {
    const lacking = signingAlgorithms.filter((alg) => !rows.some((r) => r.algorithm === alg && r.status === 'next'));
    if (lacking.length === 0 && ended.length === 0) return false;
    const made = await Promise.all(lacking.map(async (alg) => newRow(await generateKey(alg), 'next')));
    await store.replace(
      seenOf(rows),
      made,
      ended.map((row) => row.id),
    );
    return true;
  }

  async function upkeep(): Promise<void> {
    const rows = await store.list();
    const now = nowSeconds();
    const ended = rows.filter(
      (row) => row.previousAt !== null && row.previousAt + settings.longestToken + settings.jwksMaxAge < now,
    );
    await addNexts(rows, ended);
    const oldest = Math.min(...rows.filter((row) => row.status === 'current').map((row) => row.currentAt ?? now));
    if (settings.rotationDays > 0 && oldest + settings.rotationDays * 86_400 <= now) await rotate();
  }

  return {
    ring() {
      if (!loaded) throw new Error('the signing keys have not been loaded');
      return loaded;
    },
    load,
    rotate,
    upkeep,
  };
}

/** RFC 7638: the required members in lexicographic order. */
function thumbprint(jwk: { kty?: string; crv?: string; x?: string; y?: string; e?: string; n?: string }): string {
  const members =
    jwk.kty === 'RSA' ? { e: jwk.e, kty: jwk.kty, n: jwk.n } : { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y };
  return hash('sha256', JSON.stringify(members), 'base64url');
}
