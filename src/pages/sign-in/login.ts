/**
 * The sign-in page: a name and a password, or a passkey, through core/sign-in/sign-in. A second factor is the next
 * page's business.
 */
import { accountClient } from '../../core/clients/account-client.ts';
import { callerOf } from '../../http/caller.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { PageDeps } from '../kit/deps.ts';
import { busySeconds } from '../kit/form.ts';
import { requestOf } from '../kit/interaction/authorization-request.ts';
import type { InteractionResults, Step, StepContext } from '../kit/interaction/dispatcher.ts';
import { frameOf } from '../kit/interaction/frame.ts';
import { loginResult } from '../kit/interaction/login-result.ts';
import {
  freshnessOf,
  isToBeKept,
  memoryOf,
  noteKeep,
  remember,
  upstreamMemory,
  wantsToBeKept,
} from '../kit/interaction/memory.ts';
import { passkeyPurpose } from '../kit/interaction/passkey.ts';
import type { ClientForm, UpstreamFailureKind } from '../kit/view-parts.ts';
import { choicesFor, chosenIn } from './choices.ts';
import { finishedMeanwhile } from './sent-twice.ts';

/** Each picks a text; the test of the catalogue reads such lists too. */
export const loginErrors = ['wrong', 'throttled', 'busy', 'missing', 'expired', 'passkey'] as const;
type LoginError = (typeof loginErrors)[number];

/** Why a signed-in person is asked once more: by their own pages, after too long a time, or for the application. */
export const signInReasons = ['account', 'old', 'asked'] as const;
type SignInReason = (typeof signInReasons)[number];

declare module '../kit/views.ts' {
  interface ViewLocals {
    login: ClientForm & {
      /** As it was typed. */
      readonly username?: string | undefined;
      /** They are signed in; left out: this person is not. */
      readonly again?: SignInReason | undefined;
      readonly error?: LoginError | undefined;
      readonly retryAfterSeconds?: number | undefined;
      readonly signUp?: string | undefined;
      readonly forgot?: string | undefined;
      /** What the browser is to be asked for a passkey, in JSON; left out: no such button. */
      readonly passkey?: string | undefined;
      /** Other providers through which to sign in, and where that begins. */
      readonly providers?: readonly { readonly name: string; readonly to: string }[] | undefined;
      readonly failed?:
        | {
            readonly kind: UpstreamFailureKind;
            readonly provider: string;
            readonly reference: string;
            readonly retryAfterSeconds?: number | undefined;
          }
        | undefined;
      /** The account that is proved here is to be connected with this one. */
      readonly connecting?: { readonly provider: string; readonly label: string } | undefined;
      /** The box that keeps the browser signed in is ticked. */
      readonly keep?: boolean | undefined;
      /** Where another account can be chosen; left out: there is none. */
      readonly choose?: string | undefined;
      /** Where the cancel button posts to; null or left out: no such button. */
      readonly cancel?: string | null | undefined;
    };
  }
}

const statuses: Record<LoginError, number> = {
  missing: 422,
  wrong: 422,
  expired: 422,
  passkey: 422,
  throttled: 429,
  busy: 503,
};

export function createLoginStep(deps: PageDeps): Step {
  /** Of the page after this one. */
  const secondFields = ['second_passkey', ...deps.factors.codes.map(({ wire }) => wire.code)];

  interface Shown {
    readonly username?: string | undefined;
    /** The box is ticked. */
    readonly keep: boolean;
    /** There are accounts to choose from. */
    readonly choices?: boolean;
    readonly error?: LoginError;
    readonly retryAfterSeconds?: number;
    /** Otherwise what the error says. */
    readonly status?: number;
  }

  async function show(
    step: StepContext,
    { username, keep, choices = false, error, retryAfterSeconds, status = error ? statuses[error] : 200 }: Shown,
  ): Promise<void> {
    const { ctx, interaction, action } = step;
    const { locals, options } = await frameOf(deps, step);
    const { failed, pending } = upstreamMemory(interaction);
    const known = interaction.session?.accountId;
    const accountLocale = known === undefined ? undefined : (await deps.stores.accounts.bySubject(known))?.locale;
    deps.pages.show(
      ctx,
      'login',
      {
        ...locals,
        username,
        again: againFor(ctx, interaction),
        keep,
        choose: choices ? `${action}/accounts` : undefined,
        error,
        retryAfterSeconds,
        signUp: deps.config.signUp === 'open' ? `${action}/sign-up` : undefined,
        forgot: deps.mails.work ? `/forgot?from=${interaction.uid}` : undefined,
        // The same for everybody, so that the page tells nobody who has one.
        passkey: deps.passkeys.signInOptions(passkeyPurpose(interaction)) || undefined,
        ...(pending?.stage === 'link'
          ? { connecting: { provider: deps.upstream.name(pending.proof.provider), label: pending.proof.label } }
          : { providers: providersFor(interaction, action) }),
        // Of two things that went wrong the later one is said.
        failed: error || !failed ? undefined : { ...failed, provider: deps.upstream.name(failed.provider) },
        cancel: action,
      },
      { ...options, status, accountLocale },
    );
  }

  /** What the engine has found wanting in the session that stands. */
  function againFor(ctx: StepContext['ctx'], interaction: StepContext['interaction']): SignInReason | undefined {
    const { prompt, session } = interaction;
    if (session?.accountId === undefined || prompt.name !== 'login' || chosenIn({ ctx }) !== undefined)
      return undefined;
    if (prompt.reasons.includes('login_prompt')) return 'asked';
    const old = prompt.reasons.includes('max_age') || prompt.reasons.includes('not_fresh');
    if (!old) return undefined;
    return requestOf(interaction).clientId === accountClient ? 'account' : 'old';
  }

  function providersFor(interaction: StepContext['interaction'], action: string) {
    const offered = deps.upstream.offered(freshnessOf(interaction));
    return offered.map(({ id, name }) => ({ name, to: `${action}/upstream/${id}` }));
  }

  async function takePasskey(
    step: StepContext,
    assertion: string,
    keep: boolean,
  ): Promise<InteractionResults | undefined> {
    const { ctx, interaction } = step;
    const outcome = await deps.signIn.withPasskey({
      passkey: { purpose: passkeyPurpose(interaction), assertion },
      ...callerOf(ctx, 'browser'),
    });
    switch (outcome.outcome) {
      case 'signed-in':
        return loginResult(outcome, keep);
      case 'throttled':
        await show(step, { keep, error: 'throttled', retryAfterSeconds: outcome.retryAfter });
        return undefined;
      case 'refused': {
        const finished = outcome.reason === 'passkey-used' ? await finishedMeanwhile(step) : undefined;
        if (finished === undefined) await show(step, { keep, error: 'passkey' });
        return finished;
      }
      case 'second-factor':
        throw new Error('a passkey is the whole way');
    }
  }

  return {
    async show(step) {
      // Here again although the password was right: the code took too long, or the password has been changed meanwhile.
      const memory = memoryOf(step.interaction);
      if (memory) {
        const keep = isToBeKept(step.interaction);
        await show(step, { username: memory.username, keep, error: 'expired', status: 200 });
        return;
      }
      const choices = await choicesFor(deps, step);
      const chosen = chosenIn(step);
      const named = chosen === undefined ? choices[0] : choices.find(({ id }) => id === chosen);
      // What the application knows of the person, unless they have said that they are somebody else.
      const hint = chosen === undefined ? requestOf(step.interaction).loginHint : undefined;
      await show(step, {
        username: hint ?? named?.account.username,
        keep: hint === undefined && named?.remembered === true,
        choices: choices.length > (chosen === undefined ? 1 : 0),
      });
    },

    async take(step, form) {
      const { ctx, interaction, action } = step;
      const memory = memoryOf(interaction);
      const username = form.get('username')?.trim() ?? '';
      const password = form.get('password') ?? '';
      const keep = wantsToBeKept(form);
      noteKeep(interaction, keep);
      const assertion = form.get('passkey');
      if (assertion) return takePasskey(step, assertion, keep);
      if (!form.has('password') && secondFields.some((field) => form.has(field))) {
        await show(step, { username: memory?.username, keep, error: 'expired' });
        return undefined;
      }
      if (username === '' || password === '') {
        await show(step, { username, keep, error: 'missing' });
        return undefined;
      }
      try {
        const outcome = await deps.signIn.signIn({
          username,
          password,
          ...callerOf(ctx, 'browser'),
          browser: browserOf(ctx),
        });
        switch (outcome.outcome) {
          case 'signed-in':
            return loginResult(outcome, keep);
          case 'throttled':
            await show(step, { username, keep, error: 'throttled', retryAfterSeconds: outcome.retryAfter });
            return undefined;
          case 'refused':
            await show(step, { username, keep, error: 'wrong' });
            return undefined;
          case 'second-factor':
            await remember(interaction, {
              username,
              proof: outcome.proof,
              methods: outcome.methods,
              short: outcome.short,
              mailedTo: outcome.mailed?.outcome === 'failed' ? undefined : outcome.mailed?.to,
            });
            return { redirect: action };
        }
      } catch (error) {
        // Everything a person typed but the password is still there when the queue is full: trying again is one click.
        await show(step, { username, keep, error: 'busy', retryAfterSeconds: busySeconds(error) });
        return undefined;
      }
    },
  };
}
