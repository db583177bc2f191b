/** Binds a passkey challenge to one interaction, and so to one browser. */
import type { Interaction } from 'oidc-provider';

export function passkeyPurpose({ uid }: Pick<Interaction, 'uid'>): string {
  return `interaction ${uid}`;
}
