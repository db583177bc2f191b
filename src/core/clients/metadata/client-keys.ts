/** Public keys of applications, with which this server verifies their signatures. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { PublicKey } from './client-members-shape.ts';

/** Why the key cannot be used, or undefined. */
export function keyMistake(key: PublicKey): string | undefined {
  if (key.alg === 'none' || (key.alg !== undefined && isSymmetric(key.alg)))
    return 'alg must be an asymmetric algorithm';
  try {
    // Node checks the rest: all members are present, an EC point lies on its curve.
    const { modulusLength, publicExponent } =
      createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails ?? {};
    if (key.kty !== 'RSA') return undefined;
    if (modulusLength === undefined || modulusLength < 2048 || modulusLength > 8192) {
      return 'must contain RSA keys of 2048 to 8192 bits';
    }
    const odd = publicExponent !== undefined && publicExponent > 1n && publicExponent % 2n === 1n;
    return odd ? undefined : 'must contain RSA keys with an odd exponent above 1';
  } catch {
    return 'contains an invalid key';
  }
}

function isSymmetric(algorithm: string): boolean {
  return /^(HS\d|dir$|A\d+(GCM)?KW$|PBES2)/i.test(algorithm);
}
