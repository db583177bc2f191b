/** What a passkey's challenge is made for here: one interaction, and with it one browser. */
import type { Interaction } from 'oidc-provider';

export function passkeyPurpose({ uid }: Pick<Interaction, 'uid'>): string {
  return `interaction ${uid}`;
}
