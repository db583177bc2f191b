/**
 * What an interaction remembers between its pages. It lives in the engine's record of the interaction, sealed like the
 * rest of it, so it belongs to this interaction and this browser, and no form can claim it. Resuming without a result
 * drops it: a person who skips a page begins anew.
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

/** Of a sign-in between its two pages: that the password was right, and whose it was. */
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
  // Only this file writes this member.
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

/** The box under the password, or what stands for it in a form that has none. */
export function wantsToBeKept(form: ReadonlyMap<string, string>): boolean {
  return form.get('keep') === 'yes';
}

/** Whether the browser is to stay signed in, as the sign-in page was told; kept with whatever is remembered next. */
export function noteKeep(interaction: Interaction, keep: boolean): void {
  interaction.lastSubmission = { ...interaction.lastSubmission, keep };
}

export function isToBeKept({ lastSubmission }: Pick<Interaction, 'lastSubmission'>): boolean {
  return lastSubmission?.keep === true;
}

/** The engine adds what was remembered to the result: this is no part of it. */
export function forgetting(result: Results): Results {
  return { ...result, signIn: undefined, upstream: undefined, keep: undefined, enrol: undefined };
}

/**
 * Of a sign-in through another provider.
 *
 *   failed                    the sign-in page says so
 *   proof, stage `choose`     a new person: to make an account, or to connect one
 *   proof, stage `link`       the account to connect is being proved, on the ordinary pages
 *   proof, stage `confirm`    both are proved: `proved` waits for the person's yes
 */
export interface UpstreamMemory {
  readonly failed?: {
    readonly kind: UpstreamFailureKind;
    /** The provider's id. */
    readonly provider: string;
    /** As the log has it. */
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

/** Forgets a password that was given, too: what comes back from a provider begins anew. */
export async function rememberUpstream(interaction: Interaction, memory: UpstreamMemory): Promise<void> {
  interaction.lastSubmission = { ...interaction.lastSubmission, signIn: undefined, upstream: memory };
  await interaction.persist();
}

/** A question of its own is open. */
export function waitsForUpstream(interaction: Interaction): boolean {
  const stage = upstreamMemory(interaction).pending?.stage;
  return stage === 'choose' || stage === 'confirm';
}

/** Whoever signs in so that the two accounts be connected is asked once more before they are. */
export async function heldBack(
  { interaction, action }: { readonly interaction: Interaction; readonly action: string },
  result: Results | { readonly redirect: string },
): Promise<{ readonly redirect: string } | undefined> {
  const { pending } = upstreamMemory(interaction);
  if (pending === undefined || pending.stage === 'choose' || !('login' in result)) return undefined;
  const { login } = result as Results;
  // The answer to that very question.
  if (login === undefined || login === pending.proved) return undefined;
  await rememberUpstream(interaction, { pending: { stage: 'confirm', proof: pending.proof, proved: login } });
  return { redirect: action };
}

/** What is asked of the sign-in: by the application, and by this server where a second factor is to be added after a fresh one only. */
export function freshnessOf({ params, prompt }: Pick<Interaction, 'params' | 'prompt'>): Freshness {
  const { max_age: age, prompt: prompts } = params;
  const maxAge = age === undefined ? undefined : Number(age);
  const login = typeof prompts === 'string' && prompts.split(' ').includes('login');
  if (!prompt.reasons.includes('not_fresh')) return { maxAge, login };
  return { maxAge: Math.min(maxAge ?? freshSeconds, freshSeconds), login: true };
}
