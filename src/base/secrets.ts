/** Random values, digests, constant-time comparison, and sealing under keys derived from `SECRET_KEY`. */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** A random value of `bytes` bytes (16 to 64) in the alphabet `[A-Za-z0-9_-]`. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/** A random name that people may type: of 128 bits, and no hyphen first, or a command takes it for an option. */
export function randomName(): string {
  for (;;) {
    const name = randomToken(16);
    if (!name.startsWith('-')) return name;
  }
}

/** SHA-256 in base64url: what is stored in place of a value that must not be readable in the database. */
export function digest(value: string): string {
  return hash('sha256', value, 'base64url');
}

/** Compares in a time that does not depend on where the two differ; their lengths may differ. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/** A 32-byte key for one purpose (HKDF, RFC 5869), so that a key used in one place opens nothing in another. */
export function deriveKey(secret: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `gatehouse:${purpose}`, 32));
}

/** AES-256-GCM; `context` is bound in, so a sealed value moved elsewhere does not open. The result is base64url. */
export function seal(key: Buffer, plaintext: string, context: string): string {
  const iv = randomBytes(12);
  // As a KeyObject: given a Buffer, Node first throws and catches an error to find out that it is none.
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), iv).setAAD(Buffer.from(context));
  return Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

/** Opens what `seal` made; undefined where key, context or bytes are not the ones it was made with. */
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
