/**
 * What an interaction remembers of a sign-in between its two pages: that the password was right, and whose it was. It lives in
 * the engine's record of the interaction, sealed like the rest of it, so it belongs to this interaction and this browser, and
 * no form can claim it. Resuming without a result drops it: whoever skips the second page begins anew.
 */
import type { Interaction } from 'oidc-provider';
import { nowSeconds } from '../../../base/clock.ts';
import type { SecondFactor } from '../../../core/factors/factors.ts';
import { type PasswordProof, proofSeconds } from '../../../core/kernel/password-proof.ts';

export interface SignInMemory {
  /** As it was typed. */
  readonly username: string;
  /** Left out once core has refused it. */
  readonly proof?: PasswordProof;
  readonly methods: readonly SecondFactor[];
  /** There is no second step: the password has to become a longer one first. */
  readonly short?: true | undefined;
  /** Where a code has gone by e-mail, as the page says it. */
  readonly mailedTo?: string | undefined;
}

export function memoryOf({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): SignInMemory | undefined {
  // Nobody else writes this member.
  return lastSubmission?.signIn as SignInMemory | undefined;
}

/** The password was given, and lately enough; core looks again at whether it still is the account's. */
export function waitsForSecondFactor(interaction: Interaction): (SignInMemory & { proof: PasswordProof }) | undefined {
  const memory = memoryOf(interaction);
  const proof = memory?.proof;
  return memory && proof && nowSeconds() < proof.at + proofSeconds ? { ...memory, proof } : undefined;
}

export async function remember(interaction: Interaction, memory: SignInMemory | undefined): Promise<void> {
  interaction.lastSubmission = { ...interaction.lastSubmission, signIn: memory };
  await interaction.persist();
}

/** Whether the browser is to stay signed in, as the sign-in page was told; kept with whatever is remembered next. */
export function noteKeep(interaction: Interaction, keep: boolean): void {
  interaction.lastSubmission = { ...interaction.lastSubmission, keep };
}

export function isToBeKept({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): boolean {
  return lastSubmission?.keep === true;
}

/** The engine adds what was remembered to the result: this is no part of it. */
export function forgetting(result: NonNullable<Interaction['result']>): NonNullable<Interaction['result']> {
  return { ...result, signIn: undefined, upstream: undefined, keep: undefined, enrol: undefined };
}
