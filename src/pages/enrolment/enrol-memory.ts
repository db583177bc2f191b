/**
 * What an interaction remembers of a second factor that is being added. It lives in the engine's record of the interaction, which is
 * sealed, so a secret in it is nowhere to be read and belongs to this interaction and this browser.
 */
import type { Interaction } from 'oidc-provider';
import type { Amr } from '../../core/kernel/amr.ts';

export interface EnrolMemory {
  /** An authenticator app, shown and not yet confirmed. */
  readonly app?: { readonly factorId: string; readonly secret: string; readonly uri: string } | undefined;
  /** Confirmed. `codes`: recovery codes, shown until the person goes on. */
  readonly done?: { readonly amr: readonly Amr[]; readonly codes: readonly string[] } | undefined;
  /** What the page has to say of the try before. */
  readonly problem?: 'passkey-refused' | 'passkey-taken' | 'app-gone' | undefined;
}

export function enrolMemory({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): EnrolMemory {
  // Nobody else writes this member.
  return (lastSubmission?.enrol as EnrolMemory | undefined) ?? {};
}

export async function rememberEnrol(interaction: Interaction, memory: EnrolMemory): Promise<void> {
  interaction.lastSubmission = { ...interaction.lastSubmission, enrol: memory };
  await interaction.persist();
}
