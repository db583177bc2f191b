/**
 * Signing keys: for each algorithm one next, one current and any number of previous keys, encrypted in the database.
 *
 * A key is published (as next) for at least one JWKS max-age before it signs, so relying parties that cache the JWKS
 * know it. It stays published (as previous) until the last token signed with it has expired. Changes go through
 * `KeyStore.replace`, which refuses if another process was faster; then this process reads again.
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

/** The current key of each algorithm, then next keys, then previous keys, newest first. */
export type KeyRing = readonly SigningKey[];

/** A private key made early, so that the slow RSA generation runs while the database opens. */
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
  /** Seconds for which a relying party may cache the JWKS. */
  readonly jwksMaxAge: number;
  /** Days between scheduled rotations; 0: rotate by command only. */
  readonly rotationDays: number;
  /** Seconds: the longest lifetime of a token signed here. */
  readonly longestToken: number;
}

/** Settings with lifetimes of signed tokens. */
const signed = [
  'accessToken',
  'idToken',
  'identityToken',
  'securityServiceToken',
  'tinyoauthToken',
  'spaceGuardToken',
  'spaceGuardRefresh',
] as const;

/**
 * The longest lifetime of a signed token in seconds. At least a day, for APIs with a lifetime of their own (core/apis).
 */
export function longestSigned(lifetimes: Readonly<Record<(typeof signed)[number], number>>): number {
  return Math.max(86_400, ...signed.map((name) => lifetimes[name]));
}

export interface Keys {
  /** The ring as last loaded. Throws before `load` has succeeded. */
  ring(): KeyRing;
  /** Reads the ring, and makes the current keys at the first start. */
  load(ready?: Promise<NewKey>): Promise<KeyRing>;
  /**
   * Makes the next key current and generates a new next key. Without `force`, refuses while the next key is younger
   * than the JWKS max-age.
   */
  rotate(options?: {
    force?: boolean;
  }): Promise<{ outcome: 'rotated'; ring: KeyRing } | { outcome: 'too-early'; readyAt: number }>;
  /**
   * For the holder of the upkeep lease: generates missing next keys, rotates by schedule, removes old previous keys.
   */
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
      throw new Error(
        'SECRET_KEY does not decrypt a signing key in the database. Set the SECRET_KEY that encrypted it.',
      );
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
        // A next key must be published before it signs, so a missing one is added first.
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

  /** Generates missing next keys and removes the ended rows. Returns false if there was nothing to do. */
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
