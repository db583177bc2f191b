/**
 * What an interaction remembers between its pages. It is part of the engine's sealed record of the interaction, so it
 * belongs to one interaction and one browser, and a form cannot forge it. The engine drops it if the interaction
 * resumes without a result: a person who skips a page starts again.
 */
import type { Interaction } from 'oidc-provider';
import { nowSeconds } from '../../../base/clock.ts';
import { freshSeconds } from '../../../core/factors/assurance.ts';
import type { SecondFactor } from '../../../core/factors/factors.ts';
import { type PasswordProof, proofSeconds } from '../../../core/kernel/password-proof.ts';
import type { UpstreamProof } from '../../../core/upstream/upstream.ts';
import type { Freshness } from '../../../core/upstream/upstream-state.ts';
import type { UpstreamFailureKind } from '../view-parts.ts';

type Results = NonNullable<Interaction['result']>;

/** The state between the password page and the second page: the password was right, and for which account. */
export interface SignInMemory {
  /** As the user typed it. */
  readonly username: string;
  /** Absent after core has refused it. */
  readonly proof?: PasswordProof;
  readonly methods: readonly SecondFactor[];
  /** The next page is not a second factor: the password is too short and must be replaced. */
  readonly short?: true | undefined;
  /** The masked e-mail address to which a code was sent. */
  readonly mailedTo?: string | undefined;
}

export function memoryOf({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): SignInMemory | undefined {
  // Only this file writes this member.
  return lastSubmission?.signIn as SignInMemory | undefined;
}

/**
 * Returns undefined if no password was given or it has expired. Core checks again that it is still the account's
 * password.
 */
export function waitsForSecondFactor(interaction: Interaction): (SignInMemory & { proof: PasswordProof }) | undefined {
  const memory = memoryOf(interaction);
  const proof = memory?.proof;
  return memory && proof && nowSeconds() < proof.at + proofSeconds ? { ...memory, proof } : undefined;
}

export async function remember(interaction: Interaction, memory: SignInMemory | undefined): Promise<void> {
  interaction.lastSubmission = { ...interaction.lastSubmission, signIn: memory };
  await interaction.persist();
}

/** The check box "stay signed in", or the hidden field that replaces it. */
export function wantsToBeKept(form: ReadonlyMap<string, string>): boolean {
  return form.get('keep') === 'yes';
}

/** Stores the choice for the end of the sign-in. The caller persists it with `remember` or `rememberUpstream`. */
export function noteKeep(interaction: Interaction, keep: boolean): void {
  interaction.lastSubmission = { ...interaction.lastSubmission, keep };
}

export function isToBeKept({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): boolean {
  return lastSubmission?.keep === true;
}

/** Removes the memory from a result: the engine merges the last submission into it. */
export function forgetting(result: Results): Results {
  return { ...result, signIn: undefined, upstream: undefined, keep: undefined, enrol: undefined };
}

/**
 * The state of a sign-in through another provider.
 *
 *   failed                    the sign-in page shows the failure
 *   proof, stage `choose`     a new person: creates an account, or connects an existing one
 *   proof, stage `link`       the person proves the account to connect, on the ordinary pages
 *   proof, stage `confirm`    both are proved: `proved` waits for the person's confirmation
 */
export interface UpstreamMemory {
  readonly failed?: {
    readonly kind: UpstreamFailureKind;
    /** The provider's id. */
    readonly provider: string;
    /** The request id in the log. */
    readonly reference: string;
    readonly retryAfterSeconds?: number | undefined;
  };
  readonly pending?: {
    readonly stage: 'choose' | 'link' | 'confirm';
    readonly proof: UpstreamProof;
    readonly proved?: NonNullable<Results['login']>;
  };
}

export function upstreamMemory({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): UpstreamMemory {
  // Only this file writes this member.
  return (lastSubmission?.upstream as UpstreamMemory | undefined) ?? {};
}

/** Also forgets a password that was given: a return from a provider starts the sign-in again. */
export async function rememberUpstream(interaction: Interaction, memory: UpstreamMemory): Promise<void> {
  interaction.lastSubmission = { ...interaction.lastSubmission, signIn: undefined, upstream: memory };
  await interaction.persist();
}

/** A page of the upstream sign-in waits for the person's choice. */
export function waitsForUpstream(interaction: Interaction): boolean {
  const stage = upstreamMemory(interaction).pending?.stage;
  return stage === 'choose' || stage === 'confirm';
}

/** Holds a sign-in back until the person has confirmed that the two accounts shall be connected. */
export async function heldBack(
  { interaction, action }: { readonly interaction: Interaction; readonly action: string },
  result: Results | { readonly redirect: string },
): Promise<{ readonly redirect: string } | undefined> {
  const { pending } = upstreamMemory(interaction);
  if (pending === undefined || pending.stage === 'choose' || !('login' in result)) return undefined;
  const { login } = result as Results;
  // The person has just answered the confirmation page.
  if (login === undefined || login === pending.proved) return undefined;
  await rememberUpstream(interaction, { pending: { stage: 'confirm', proof: pending.proof, proved: login } });
  return { redirect: action };
}

/** How fresh the sign-in must be: by the client's parameters, and by this server before it adds a second factor. */
export function freshnessOf({ params, prompt }: Pick<Interaction, 'params' | 'prompt'>): Freshness {
  const { max_age: age, prompt: prompts } = params;
  const maxAge = age === undefined ? undefined : Number(age);
  const login = typeof prompts === 'string' && prompts.split(' ').includes('login');
  if (!prompt.reasons.includes('not_fresh')) return { maxAge, login };
  return { maxAge: Math.min(maxAge ?? freshSeconds, freshSeconds), login: true };
}
