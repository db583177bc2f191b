/**
 * Signing in the engine's terms, by Node's synchronous `crypto.sign`: twice as quick as the promise around WebCrypto
 * (docs/performance.md). The private key stays a KeyObject; the engine sees only the public half.
 */
import { type KeyObject, sign } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import type { SigningKey } from '../core/keys.ts';

export class EngineKey extends ExternalSigningKey {
  readonly #key: SigningKey;

  constructor(key: SigningKey) {
    super();
    this.#key = key;
  }

  override get kid(): string {
    return this.#key.id;
  }

  override get alg(): string {
    return this.#key.algorithm;
  }

  override keyObject(): KeyObject {
    return this.#key.publicKey;
  }

  override async sign(data: Uint8Array): Promise<Buffer> {
    await turn();
    const signature = sign('sha256', data, this.#key.privateKey);
    return this.#key.algorithm === 'ES256' ? joseSignature(signature) : signature;
  }
}

let next: Promise<void> | undefined;

/**
 * The next turn of the event loop, the same for all who ask in this one: their signatures are made one after the other, and then
 * all their requests go on. Under load this halves the time of a request, as reading together does (docs/performance.md).
 */
function turn(): Promise<void> {
  next ??= new Promise((resolve) => {
    setImmediate(() => {
      next = undefined;
      resolve();
    });
  });
  return next;
}

/**
 * The two numbers of an ECDSA signature as JWS wants them (RFC 7518, section 3.4): 32 bytes each, one behind the other, and not in
 * the DER that Node makes. Asking Node for this form (`dsaEncoding`) doubles the time of a signature.
 */
function joseSignature(der: Buffer): Buffer {
  const joined = Buffer.alloc(64);
  // SEQUENCE, its length, then twice: INTEGER, its length, the number with a leading zero where its first bit is set.
  let at = 2;
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0;
    const number = der.subarray(at + 2, at + 2 + length);
    const significant = number.subarray(Math.max(0, length - 32));
    significant.copy(joined, end - significant.length);
    at += 2 + length;
  }
  return joined;
}
