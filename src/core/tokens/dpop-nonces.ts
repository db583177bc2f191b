/**
 * The nonces of DPoP proofs (RFC 9449, sections 8 and 9). They follow from the time and a key of all nodes, so nothing
 * is stored and every node takes every node's nonces.
 *
 * They have the values that the engine's token endpoint hands out: many clients keep one nonce per origin, and this
 * server's APIs have the origin of its token endpoint. A test holds the two together.
 */
import { hkdfSync } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey } from '../../base/secrets.ts';

const stepSeconds = 60;

export interface Nonces {
  /** For a `DPoP-Nonce` header. It is good for three to four minutes. */
  next(): string;
  isGood(nonce: string): boolean;
}

/** The engine's `nonceSecret`. */
export const nonceKey = (secretKey: string): Buffer => deriveKey(secretKey, 'dpop-nonce');

export function createNonces(secretKey: string): Nonces {
  const key = nonceKey(secretKey);
  let step = 0;
  let values: string[] = [];

  /** From two steps ago to two steps ahead. */
  function current(): readonly string[] {
    const now = Math.floor(nowSeconds() / stepSeconds);
    if (now !== step) {
      step = now;
      values = [-2, -1, 0, 1, 2].map((offset) => nonceOf(key, now + offset));
    }
    return values;
  }

  return {
    next: () => String(current()[3]),
    // The values are no secrets: every answer to a proof shows one. So the comparison may take any time.
    isGood: (nonce) => current().includes(nonce),
  };
}

function nonceOf(key: Buffer, step: number): string {
  const salt = Buffer.alloc(8);
  salt.writeBigUInt64BE(BigInt(step));
  return Buffer.from(hkdfSync('sha256', key, salt, 'DPoP', 32)).toString('base64url');
}
