/** Too many codes of devices: begun by an address, or wrong ones that were typed. */
import { errors } from 'oidc-provider';

/** As for credentials (oidc/clients/credentials): RFC 6749, section 5.2, has no code of its own for this. */
export class TooManyCodes extends errors.OIDCProviderError {
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super(429, 'temporarily_unavailable');
    this.error_description = 'too many codes, wait a while';
    this.expose = true;
    this.retryAfter = retryAfter;
  }
}
