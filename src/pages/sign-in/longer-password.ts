import { holds } from '../../core/kernel/password-proof.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { PageDeps } from '../kit/deps.ts';
import { passwordErrors } from '../kit/field-errors.ts';
import { busySeconds, formStatus } from '../kit/form.ts';
import { requestOf } from '../kit/interaction/authorization-request.ts';
import type { InteractionResults, Redirect, Step, StepContext } from '../kit/interaction/dispatcher.ts';
import { frameOf } from '../kit/interaction/frame.ts';
import { loginResult } from '../kit/interaction/login-result.ts';
import { isToBeKept, remember, waitsForSecondFactor } from '../kit/interaction/memory.ts';
import type { ClientForm, FormProblem } from '../kit/view-parts.ts';
import { finishedMeanwhile } from './sent-twice.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    /** For a person whose second factor is gone and whose password is too short without one. */
    'longer-password': ClientForm &
      FormProblem & {
        readonly username: string;
        readonly minLength: number;
      };
  }
}

export function createLongerPasswordStep(deps: PageDeps): Step {
  const { pages } = deps;

  /**
   * Returns undefined if the password has changed or the account has a second factor again: both need a new sign-in.
   */
  async function personOf({ interaction }: StepContext): Promise<Account | undefined> {
    const proof = waitsForSecondFactor(interaction)?.proof;
    const account = proof && (await deps.stores.accounts.bySubject(proof.subject));
    return account && holds(proof, account) && !account.twoFactor ? account : undefined;
  }

  async function show(step: StepContext, { username, locale }: Account, shown: FormProblem = {}): Promise<undefined> {
    const { locals, options } = await frameOf(deps, step);
    pages.show(
      step.ctx,
      'longer-password',
      { ...locals, username, minLength: deps.config.password.minLength, ...shown },
      { ...options, status: formStatus(shown.problem, shown.error !== undefined), accountLocale: locale },
    );
  }

  async function startAgain({ interaction, action }: StepContext): Promise<Redirect> {
    const memory = waitsForSecondFactor(interaction);
    await remember(interaction, memory && { username: memory.username, methods: [] });
    return { redirect: action };
  }

  async function change(
    step: StepContext,
    account: Account,
    password: string,
  ): Promise<InteractionResults | Redirect | undefined> {
    const { ctx, interaction } = step;
    const { subject, username, passwordHash, locale } = account;
    const request = requestOf(interaction);
    const caller = { ...callerOf(ctx, 'browser'), browser: browserOf(ctx) };
    const set = await deps.accounts.setPassword(subject, password, {
      endSessions: true,
      keepSession: interaction.session?.uid,
      over: passwordHash,
      caller: { ...caller, locale: pages.localeOf(ctx, request.uiLocales, locale) },
    });
    if (set.outcome === 'weak-password') return show(step, account, { error: passwordErrors[set.reason.code] });
    if (set.outcome === 'not-found') return startAgain(step);
    const outcome = await deps.signIn.signIn({ ...caller, username, password });
    // If a second factor was added or the account is throttled by now, the ordinary sign-in decides.
    return outcome.outcome === 'signed-in' ? loginResult(outcome, isToBeKept(interaction)) : startAgain(step);
  }

  return {
    async show(step) {
      const account = await personOf(step);
      if (account) return show(step, account);
      const { redirect } = await startAgain(step);
      seeOther(step.ctx, redirect);
      return undefined;
    },

    async take(step, form) {
      const { interaction } = step;
      if (interaction.result?.login) return interaction.result;
      const account = await personOf(step);
      if (!account) return (await finishedMeanwhile(step)) ?? startAgain(step);
      const password = form.get('new_password') ?? '';
      if (password === '') return show(step, account, { error: 'required' });
      try {
        return await change(step, account, password);
      } catch (error) {
        return show(step, account, { problem: 'busy', retryAfterSeconds: busySeconds(error) });
      }
    },
  };
}
