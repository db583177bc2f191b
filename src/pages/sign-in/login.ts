/**
 * The sign-in page: username and password, or a passkey, checked by core/sign-in. The second factor is on the next
 * page.
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
import type { ClientForm, ProviderView, UpstreamFailureKind } from '../kit/view-parts.ts';
import { choicesFor, chosenIn } from './choices.ts';
import { finishedMeanwhile } from './sent-twice.ts';

/** Shown above the form, each with its text. The test of the catalogue reads this list. */
export const loginNotices = ['throttled', 'busy', 'expired', 'passkey'] as const;
/** `wrong` and `missing` are shown below a field. */
export const loginErrors = ['wrong', 'missing', ...loginNotices] as const;
type LoginError = (typeof loginErrors)[number];

/** Why a signed-in person is asked again: by the account pages, because the sign-in is too old, or for the client. */
export const signInReasons = ['account', 'old', 'asked'] as const;
type SignInReason = (typeof signInReasons)[number];

declare module '../kit/views.ts' {
  interface ViewLocals {
    login: ClientForm & {
      /** As the user typed it. */
      readonly username?: string | undefined;
      /** Set if the person is signed in already. */
      readonly again?: SignInReason | undefined;
      readonly error?: LoginError | undefined;
      readonly retryAfterSeconds?: number | undefined;
      readonly signUp?: string | undefined;
      readonly forgot?: string | undefined;
      /** WebAuthn request options, in JSON. Absent: no passkey button. */
      readonly passkey?: string | undefined;
      /** Other providers, with the address that starts the sign-in there. */
      readonly providers?: readonly (ProviderView & { readonly to: string })[] | undefined;
      readonly failed?:
        | {
            readonly kind: UpstreamFailureKind;
            readonly provider: string;
            readonly reference: string;
            readonly retryAfterSeconds?: number | undefined;
          }
        | undefined;
      /** The identity at another provider that will be connected with the account that signs in. */
      readonly connecting?: { readonly provider: ProviderView; readonly label: string } | undefined;
      /** The box "stay signed in" is ticked. */
      readonly keep?: boolean | undefined;
      /** The address of the account chooser, if there are accounts to choose from. */
      readonly choose?: string | undefined;
      /** Where the cancel button posts to; null or absent: no such button. */
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
  /** Fields of the second-factor page. */
  const secondFields = ['second_passkey', ...deps.factors.codes.map(({ wire }) => wire.code)];

  interface Shown {
    readonly username?: string | undefined;
    /** The box "stay signed in" is ticked. */
    readonly keep: boolean;
    /** There are accounts to choose from. */
    readonly choices?: boolean;
    readonly error?: LoginError;
    readonly retryAfterSeconds?: number;
    /** Default: the status of `error`. */
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
        // The same options for every account, so the page does not reveal who has a passkey.
        passkey: deps.passkeys.signInOptions(passkeyPurpose(interaction)) || undefined,
        ...(pending?.stage === 'link'
          ? { connecting: { provider: deps.providerLogos.view(pending.proof.provider), label: pending.proof.label } }
          : { providers: providersFor(interaction, action) }),
        // If two things failed, the page shows the later one.
        failed: error || !failed ? undefined : { ...failed, provider: deps.upstream.name(failed.provider) },
        cancel: action,
      },
      { ...options, status, accountLocale },
    );
  }

  /** Why the engine does not accept the current session. */
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
    return offered.map(({ id }) => ({ ...deps.providerLogos.view(id), to: `${action}/upstream/${id}` }));
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
      // The code took too long, or the password has changed: the sign-in starts again.
      const memory = memoryOf(step.interaction);
      if (memory) {
        const keep = isToBeKept(step.interaction);
        await show(step, { username: memory.username, keep, error: 'expired', status: 200 });
        return;
      }
      const choices = await choicesFor(deps, step);
      const chosen = chosenIn(step);
      const named = chosen === undefined ? choices[0] : choices.find(({ id }) => id === chosen);
      // The client's hint applies unless the person has chosen an account.
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
        // The queue is full. The form keeps all fields except the password, so one click tries again.
        await show(step, { username, keep, error: 'busy', retryAfterSeconds: busySeconds(error) });
        return undefined;
      }
    },
  };
}
