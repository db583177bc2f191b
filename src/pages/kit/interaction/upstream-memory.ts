/**
 * What an interaction remembers of a sign-in through another provider. It lives where sign-in-memory.ts keeps the password: in the
 * engine's sealed record of this interaction, of this browser, where no form can claim it.
 *
 *   failed                    the sign-in page says so
 *   proof, stage `choose`     somebody new: to make an account, or to connect one
 *   proof, stage `link`       the account to connect is being proved, on the ordinary pages
 *   proof, stage `confirm`    both are proved: `proved` waits for the person's yes
 */
import type { Interaction } from 'oidc-provider';
import { freshSeconds } from '../../../core/factors/assurance.ts';
import type { UpstreamProof } from '../../../core/upstream/upstream.ts';
import type { Freshness } from '../../../core/upstream/upstream-state.ts';
import type { UpstreamFailureKind } from '../view-parts.ts';

type Results = NonNullable<Interaction['result']>;

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
  // Nobody else writes this member.
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
