/**
 * The second factor, a code or a passkey, checked by core/sign-in. It follows the password. It is also a step-up for a
 * signed-in person when the client requires more assurance than the session has (oidc/requests/assurance).
 */
import type { Interaction } from 'oidc-provider';
import type { SecondFactor } from '../../core/factors/factors.ts';
import { displayName } from '../../core/kernel/names.ts';
import { type PasswordProof, sessionProof } from '../../core/kernel/password-proof.ts';
import type { SecondFactorAsked, WrongSecond } from '../../core/sign-in/second-step.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import type { AssuranceDetails } from '../../oidc/requests/assurance.ts';
import { restartAddress } from '../../oidc/requests/restart.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { PageDeps } from '../kit/deps.ts';
import { signInAgain } from '../kit/interaction/authorization-request.ts';
import { currentSessionOf } from '../kit/interaction/current-session.ts';
import type { Step, StepContext } from '../kit/interaction/dispatcher.ts';
import { frameOf } from '../kit/interaction/frame.ts';
import { loginResult, surerResult } from '../kit/interaction/login-result.ts';
import { isToBeKept, memoryOf, remember, type SignInMemory, waitsForSecondFactor } from '../kit/interaction/memory.ts';
import { passkeyPurpose } from '../kit/interaction/passkey.ts';
import type { ClientForm } from '../kit/view-parts.ts';
import { finishedMeanwhile } from './sent-twice.ts';

export const secondFactorErrors = [
  'missing',
  'wrong',
  'wrong-mail',
  'used',
  'locked',
  'over',
  'passkey',
  'throttled',
  /** A code was sent a moment ago. */
  'mail-wait',
  'mail-failed',
] as const;
export type SecondFactorError = (typeof secondFactorErrors)[number];

declare module '../kit/views.ts' {
  interface ViewLocals {
    'second-factor': ClientForm & {
      readonly account: { readonly name?: string | undefined; readonly username: string };
      readonly method: SecondFactor;
      /** The other methods, with the address of each. */
      readonly others: readonly { readonly method: SecondFactor; readonly to: string }[];
      /** For the method `passkey`: WebAuthn request options, in JSON. */
      readonly passkey?: string | undefined;
      /** For a method that sends codes: the masked address, once a code has been sent. */
      readonly mailedTo?: string | undefined;
      /** The person is signed in, and the client requires more assurance. */
      readonly stepUp?: boolean | undefined;
      readonly error?: SecondFactorError | undefined;
      readonly retryAfterSeconds?: number | undefined;
    };
  }
}

const statuses: Record<SecondFactorError, number> = {
  missing: 422,
  wrong: 422,
  'wrong-mail': 422,
  used: 422,
  locked: 422,
  over: 422,
  passkey: 422,
  throttled: 429,
  'mail-wait': 429,
  'mail-failed': 422,
};

export function createSecondFactorStep(deps: PageDeps): Step {
  interface Shown {
    /** If this is none of the methods, the page shows the first. */
    readonly wanted: SecondFactor | readonly string[] | undefined;
    readonly methods: readonly SecondFactor[];
    readonly error?: SecondFactorError;
    readonly retryAfterSeconds?: number;
  }

  async function show(
    step: StepContext,
    memory: SignInMemory,
    { wanted, methods, error, retryAfterSeconds }: Shown,
  ): Promise<void> {
    const { ctx, interaction, action } = step;
    const [{ locals, options }, account] = await Promise.all([
      frameOf(deps, step),
      memory.proof && deps.stores.accounts.bySubject(memory.proof.subject),
    ]);
    const method = methods.find((one) => one === wanted) ?? methods[0] ?? 'recovery-code';
    const others = methods.filter((one) => one !== method);
    const passkey =
      method === 'passkey' && memory.proof
        ? await deps.passkeys.stepOptions(memory.proof.subject, passkeyPurpose(interaction))
        : undefined;
    deps.pages.show(
      ctx,
      'second-factor',
      {
        ...locals,
        account: { name: account && displayName(account), username: account?.username ?? memory.username },
        method,
        others: others.map((other) => ({ method: other, to: `${action}?method=${other}` })),
        passkey,
        mailedTo: memory.mailedTo,
        stepUp: isStepUp(interaction),
        error,
        retryAfterSeconds,
      },
      { ...options, status: error ? statuses[error] : 200, accountLocale: account?.locale },
    );
  }

  /** The state of the sign-in; for a step-up, the current session. */
  async function memoryFor(step: StepContext): Promise<Memory | undefined> {
    const { interaction } = step;
    if (!isStepUp(interaction)) {
      const memory = waitsForSecondFactor(interaction);
      return memory && { ...memory, keep: isToBeKept(interaction) };
    }
    const current = await currentSessionOf(step, deps.stores.accounts);
    if (current === undefined) return undefined;
    const { account, amr, signedInAt, keep } = current;
    const { methods } = await deps.factors.methods(account.subject);
    return {
      username: account.username,
      proof: sessionProof(account, { amr, at: signedInAt }),
      methods: allowed(interaction, methods),
      mailedTo: memoryOf(interaction)?.mailedTo,
      keep,
    };
  }

  /** A code, a passkey assertion, or a request to send a code. */
  function givenIn(form: ReadonlyMap<string, string>) {
    const { codes } = deps.factors;
    const sending = codes.find(({ wire }) => wire.send !== undefined && wire.send === form.get('answer'));
    const filled = codes.find(({ wire }) => form.has(wire.code));
    const typed = codes.map(({ wire }) => form.get(wire.code)).find(Boolean) ?? '';
    return {
      sending,
      filled,
      // The method of the page that sent the form, for showing it again.
      wanted: (sending ?? filled)?.kind ?? 'passkey',
      otp: sending?.kind ?? typed.trim(),
      assertion: form.get('second_passkey'),
    };
  }

  /** The input was not enough: either a code has been sent, or the page shows the error. */
  async function askAgain(
    step: StepContext,
    memory: Memory,
    { sending, filled, wanted, otp }: ReturnType<typeof givenIn>,
    { methods, wrong, mailed, lately }: SecondFactorAsked,
  ): ReturnType<Step['take']> {
    const finished = lately ? await finishedMeanwhile(step) : undefined;
    if (finished) return finished;
    if (mailed?.outcome === 'sent') {
      await remember(step.interaction, { ...memory, mailedTo: mailed.to });
      // The method whose code was sent, even if its name was typed into another method's field.
      return { redirect: `${step.action}?method=${otp}` };
    }
    await show(step, memory, {
      wanted,
      methods: allowed(step.interaction, methods),
      error: sending
        ? `mail-${mailed?.outcome === 'wait' ? 'wait' : 'failed'}`
        : errorOf(wrong, filled?.wire.send !== undefined),
      ...(mailed?.outcome === 'wait' && { retryAfterSeconds: mailed.retryAfter }),
    });
    return undefined;
  }

  return {
    async show(step) {
      const memory = await memoryFor(step);
      if (memory === undefined) {
        seeOther(step.ctx, await restartAddress(deps, step.interaction));
        return;
      }
      await show(step, memory, { wanted: step.ctx.query.method, methods: memory.methods });
    },

    async take(step, form) {
      const { ctx, interaction, action } = step;
      const memory = await memoryFor(step);
      const restart = form.get('answer') === 'restart';
      if (restart || memory === undefined) {
        if (isStepUp(interaction))
          return restart ? signInAgain(deps, interaction) : { redirect: await restartAddress(deps, interaction) };
        await remember(interaction, undefined);
        return { redirect: action };
      }
      if (interaction.result?.login) return interaction.result;
      const { methods, proof } = memory;
      const given = givenIn(form);
      const { wanted, otp, assertion } = given;
      if (otp === '' && !assertion) {
        await show(step, memory, { wanted, methods, error: 'missing' });
        return undefined;
      }
      const outcome = await deps.signIn.secondStep({
        proof,
        ...(assertion ? { passkey: { purpose: passkeyPurpose(interaction), assertion } } : { otp }),
        ...callerOf(ctx, 'browser'),
        browser: browserOf(ctx),
      });
      switch (outcome.outcome) {
        case 'signed-in':
          return isStepUp(interaction)
            ? surerResult(interaction, outcome, memory.keep)
            : loginResult(outcome, memory.keep);
        case 'second-factor':
          return askAgain(step, memory, given, outcome);
        case 'throttled':
          await show(step, memory, { wanted, methods, error: 'throttled', retryAfterSeconds: outcome.retryAfter });
          return undefined;
        case 'expired':
        case 'refused':
          // The second factor is gone or the account is disabled: the engine checks again.
          if (isStepUp(interaction)) return {};
          await remember(interaction, { username: memory.username, methods });
          return { redirect: action };
      }
    },
  };
}

type Memory = SignInMemory & { readonly proof: PasswordProof; readonly keep: boolean };

const isStepUp = ({ prompt }: Interaction): boolean => prompt.name === 'second-factor';

/** The available methods that satisfy the request. */
function allowed({ prompt }: Interaction, methods: readonly SecondFactor[]): readonly SecondFactor[] {
  const { only } = prompt.details as AssuranceDetails;
  return only === undefined ? methods : methods.filter((method) => method === only);
}

/** `sent`: this server sends the codes, so the person can ask for another. */
function errorOf(wrong: WrongSecond | undefined, sent: boolean): SecondFactorError {
  if (wrong === 'wrong' && sent) return 'wrong-mail';
  return wrong === 'passkey-used' ? 'passkey' : (wrong ?? 'missing');
}
