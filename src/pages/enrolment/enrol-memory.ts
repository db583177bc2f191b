/**
 * The state of an enrolment during an interaction. It is in the engine's sealed record of the interaction, so a secret
 * in it cannot be read and belongs to this interaction and browser.
 */
import type { Interaction } from 'oidc-provider';
import type { Amr } from '../../core/kernel/amr.ts';

export interface EnrolMemory {
  /** An authenticator app that was shown but not confirmed. */
  readonly app?: { readonly factorId: string; readonly secret: string; readonly uri: string } | undefined;
  /** Confirmed. `codes`: recovery codes, shown until the person continues. */
  readonly done?: { readonly amr: readonly Amr[]; readonly codes: readonly string[] } | undefined;
  /** The problem of the previous attempt. */
  readonly problem?: 'passkey-refused' | 'passkey-taken' | 'app-gone' | undefined;
}

export function enrolMemory({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): EnrolMemory {
  // Only this module writes this member.
  return (lastSubmission?.enrol as EnrolMemory | undefined) ?? {};
}

export async function rememberEnrol(interaction: Interaction, memory: EnrolMemory): Promise<void> {
  interaction.lastSubmission = { ...interaction.lastSubmission, enrol: memory };
  await interaction.persist();
}
