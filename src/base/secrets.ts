/** Random values, digests, constant-time comparison, and sealing with keys derived from `SECRET_KEY`. */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** A random value of `bytes` bytes (16 to 64), as base64url. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** A random name of 128 bits to type. Never starts with a hyphen, which a command would read as an option. */
export function randomName(): string {
  for (;;) {
    const name = randomToken(16);
    if (!name.startsWith('-')) return name;
  }
}

/** SHA-256 as base64url. Stored in place of a value that must not be readable in the database. */
export function digest(value: string): string {
  return hash('sha256', value, 'base64url');
}

/** HMAC-SHA-256 as base64url: a digest of a value with few bits, which cannot be found without the key. */
export function keyedDigest(key: Buffer, value: string): string {
  return createHmac('sha256', key).update(value).digest('base64url');
}

/** Compares in constant time. The lengths may differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/** Derives a 32-byte key for one purpose (HKDF, RFC 5869), so a key for one purpose opens nothing of another. */
export function deriveKey(secret: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `gatehouse:${purpose}`, 32));
}

/** AES-256-GCM, as base64url. `context` is authenticated, so a sealed value does not open in another place. */
export function seal(key: Buffer, plaintext: string, context: string): string {
  const iv = randomBytes(12);
  // As a KeyObject: with a Buffer, Node internally throws and catches an error first.
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), iv).setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** Opens a sealed value. Returns undefined if key, context or bytes are wrong. */
export function unseal(key: Buffer, sealed: string, context: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < 28) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), bytes.subarray(0, 12)).setAAD(
      Buffer.from(context),
    );
    decipher.setAuthTag(bytes.subarray(-16));
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
