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

  override sign(data: Uint8Array): Buffer {
    return this.#key.algorithm === 'ES256'
      ? sign('sha256', data, { key: this.#key.privateKey, dsaEncoding: 'ieee-p1363' })
      : sign('sha256', data, this.#key.privateKey);
  }
}
