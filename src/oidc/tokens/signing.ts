/**
 * Signing in the engine's terms, by Node's synchronous `crypto.sign`: twice as quick as the promise around WebCrypto
 * (docs/performance.md). The private key stays a KeyObject; the engine sees only the public half.
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
