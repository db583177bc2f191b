/**
 * Signs for the engine with Node's synchronous `crypto.sign`, twice as fast as WebCrypto's promise
 * (docs/performance.md). The private key stays a KeyObject; the engine sees only the public key.
 */
import type { KeyObject } from 'node:crypto';
import { ExternalSigningKey } from 'oidc-provider';
import type { SigningKey } from '../../core/keys/keys.ts';
import { signature } from '../../core/tokens/jwt.ts';

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
    return signature(this.#key, data);
  }
}

let next: Promise<void> | undefined;

/**
 * One shared `setImmediate` per turn of the event loop. All waiting signatures are made in a row, then all requests
 * continue. Under load this halves the time of a request (docs/performance.md).
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
