/**
 * Adds a second factor during an authorization, because it is required or because the person accepted the invitation.
 *
 *   kind -> app: QR code, first code -> recovery codes, one typed back -> signed in, with two factors
 *        -> passkey: the browser's dialogue -> (recovery codes ->) the same
 *
 * The engine starts this step (oidc/requests/assurance) and checks again afterwards, so skipping it leads back here.
 * Every request checks the session again: an account with a second factor must give it first, and an enrolment needs a
 * sign-in of the last minutes (security.md B11).
 */
import { nowSeconds } from '../../base/clock.ts';
import { assuranceOf, freshSeconds } from '../../core/factors/assurance.ts';
import type { Amr } from '../../core/kernel/amr.ts';
import { displayName } from '../../core/kernel/names.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import type { AssuranceDetails } from '../../oidc/requests/assurance.ts';
import { restartAddress } from '../../oidc/requests/restart.ts';
import type { PageDeps } from '../kit/deps.ts';
import { appName, passkeyName } from '../kit/factor-names.ts';
import { isForDevice, requestOf } from '../kit/interaction/authorization-request.ts';
import { type CurrentSession, currentSessionOf } from '../kit/interaction/current-session.ts';
import type { InteractionResults, Redirect, Step, StepContext } from '../kit/interaction/dispatcher.ts';
import { frameOf } from '../kit/interaction/frame.ts';
import { surerResult } from '../kit/interaction/login-result.ts';
import { passkeyPurpose } from '../kit/interaction/passkey.ts';
import { qrCode } from '../kit/qr-code.ts';
import { sendRecoveryCodes } from '../kit/recovery-codes.ts';
import type { ClientForm } from '../kit/view-parts.ts';
import { type EnrolMemory, enrolMemory, rememberEnrol } from './enrol-memory.ts';

/** Mistakes in a typed code: the first one of an app, or one of the recovery codes. */
type EnrolError = 'missing' | 'wrong';

/** Why the enrolment failed. */
export const enrolProblems = ['passkey-refused', 'passkey-taken', 'app-gone'] as const;

declare module '../kit/views.ts' {
  interface ViewLocals {
    enrol: ClientForm & {
      readonly account: { readonly name?: string | undefined; readonly username: string };
      /** The step is optional. */
      readonly invited: boolean;
      /** An authenticator app is enough. */
      readonly app: boolean;
      /** Options for the browser to create a passkey, in JSON; undefined if the maximum is reached. */
      readonly passkey?: string | undefined;
      readonly problem?: (typeof enrolProblems)[number] | undefined;
    };
    'enrol-app': ClientForm & {
      /** Base32, in groups. */
      readonly secret: string;
      /** `otpauth:`, for an app on the device that shows the page. */
      readonly uri: string;
      readonly code: { readonly size: number; readonly path: string };
      readonly error?: EnrolError | undefined;
    };
    'enrol-codes': ClientForm & { readonly codes: readonly string[]; readonly error?: EnrolError | undefined };
  }
}

type Onward = InteractionResults | Redirect;
type Form = ReadonlyMap<string, string>;
type Done = NonNullable<EnrolMemory['done']>;

/** No result: the engine checks again. */
const lookAgain: Onward = {};

export function createEnrolStep(deps: PageDeps): Step {
  const { pages, factors, passkeys } = deps;
  const [kind] = factors.enrols;

  /** Returns the current session, or where to go instead. */
  async function enter(step: StepContext): Promise<CurrentSession | Redirect | undefined> {
    const { interaction } = step;
    const current = await currentSessionOf(step, deps.stores.accounts);
    if (current === undefined) return { redirect: await restartAddress(deps, interaction) };
    const memory = enrolMemory(interaction);
    if (memory.done) return current;
    const { required } = await factors.methods(current.account.subject);
    // A second factor was added in another tab: the engine asks for it.
    if (required && assuranceOf(current.amr) === 'single') return undefined;
    const fresh = nowSeconds() - current.signedInAt <= freshSeconds;
    if (fresh || memory.app) return current;
    // The engine asks a device's user for a fresh sign-in.
    return isForDevice(interaction)
      ? undefined
      : { redirect: await restartAddress(deps, interaction, { prompt: 'login' }) };
  }

  async function show(
    step: StepContext,
    { account }: CurrentSession,
    memory: EnrolMemory,
    error?: EnrolError,
  ): Promise<void> {
    const { ctx, interaction } = step;
    const { locals: common, options: shared } = await frameOf(deps, step);
    const options = { ...shared, status: error === undefined ? 200 : 422, accountLocale: account.locale };
    if (memory.done) {
      pages.show(ctx, 'enrol-codes', { ...common, codes: memory.done.codes, error }, options);
    } else if (memory.app) {
      const secret = memory.app.secret.match(/.{1,4}/g)?.join(' ') ?? '';
      const { uri } = memory.app;
      pages.show(ctx, 'enrol-app', { ...common, secret, uri, code: await qrCode(uri), error }, options);
    } else {
      const begun = await passkeys.beginEnrolment(account.subject, passkeyPurpose(interaction));
      const locals = {
        ...common,
        account: { name: displayName(account), username: account.username },
        invited: interaction.prompt.name === 'offer',
        app: onlyOf(interaction) === undefined && kind !== undefined,
        passkey: begun.outcome === 'begun' ? begun.options || undefined : undefined,
        problem: memory.problem,
      };
      pages.show(ctx, 'enrol', locals, options);
    }
  }

  async function begin({ ctx, interaction, action }: StepContext, { account }: CurrentSession): Promise<Onward> {
    const begun = await factors.begin(kind, account.subject, { name: appName(ctx) });
    // All five apps are locked; only an administrator can help.
    if (begun.outcome !== 'begun') return { error: 'access_denied', error_description: 'no app can be added' };
    const { factorId, secret, uri } = begun;
    await rememberEnrol(interaction, { app: { factorId, secret, uri } });
    return { redirect: action };
  }

  /** Continues to the recovery codes, if there are new ones. */
  async function enrolled(
    step: StepContext,
    current: CurrentSession,
    proved: readonly Amr[],
    codes: readonly string[],
  ): Promise<Onward> {
    const amr = [...new Set<Amr>([...current.amr, ...proved, 'mfa'])];
    const done = { amr, codes };
    if (codes.length === 0) return finished(step, current, done);
    await rememberEnrol(step.interaction, { done });
    return { redirect: step.action };
  }

  function finished({ interaction }: StepContext, current: CurrentSession, { amr }: Pick<Done, 'amr'>): Onward {
    const { account, signedInAt: at, keep } = current;
    return surerResult(interaction, { account, amr, at }, keep);
  }

  async function confirmApp(step: StepContext, current: CurrentSession, memory: EnrolMemory, form: Form) {
    const { interaction, action } = step;
    const typed = form.get('code')?.trim() ?? '';
    if (typed === '') return show(step, current, memory, 'missing');
    const id = memory.app?.factorId ?? '';
    const outcome = await factors.confirm(kind, current.account.subject, id, typed, callerIn(step));
    switch (outcome.outcome) {
      case 'enrolled':
        return enrolled(step, current, ['otp'], outcome.recoveryCodes);
      case 'wrong-code':
        return show(step, current, memory, 'wrong');
      case 'gone':
        await rememberEnrol(interaction, { problem: 'app-gone' });
        return { redirect: action };
    }
  }

  async function addPasskey(step: StepContext, current: CurrentSession, credential: string): Promise<Onward> {
    const { interaction, action } = step;
    const purpose = passkeyPurpose(interaction);
    const { subject } = current.account;
    const name = passkeyName(step.ctx, credential);
    const outcome = await passkeys.finishEnrolment(subject, { purpose, credential, name }, callerIn(step));
    if (outcome.outcome === 'enrolled')
      return enrolled(step, current, [outcome.passkey.synced ? 'swk' : 'hwk', 'user'], outcome.recoveryCodes);
    await rememberEnrol(interaction, { problem: outcome.outcome === 'taken' ? 'passkey-taken' : 'passkey-refused' });
    return { redirect: action };
  }

  /** The codes work already. They count as saved, and the sign-in goes on, when one of them has been typed. */
  async function confirmSaved(step: StepContext, current: CurrentSession, memory: EnrolMemory, form: Form) {
    const { done } = memory;
    const typed = form.get('recovery_code')?.trim();
    // Another form of this step, sent from an older tab.
    if (done === undefined || typed === undefined) return { redirect: step.action };
    if (typed === '') return show(step, current, memory, 'missing').then(() => undefined);
    const isRight = await factors.confirmSaved(current.account.subject, typed, callerIn(step), done.codes);
    return isRight ? finished(step, current, done) : show(step, current, memory, 'wrong').then(() => undefined);
  }

  function callerIn({ ctx, interaction }: StepContext) {
    return { ...callerOf(ctx, 'browser'), locale: pages.localeOf(ctx, requestOf(interaction).uiLocales) };
  }

  return {
    async show(step) {
      const { ctx, interaction } = step;
      const current = await enter(step);
      if (current && 'account' in current) return show(step, current, enrolMemory(interaction));
      // Continues without a result, so that the engine asks again.
      seeOther(ctx, current?.redirect ?? interaction.returnTo);
      return undefined;
    },

    async take(step, form) {
      const { interaction, action } = step;
      const answer = form.get('answer');
      if (answer === 'later' && interaction.prompt.name === 'offer') return lookAgain;
      const current = await enter(step);
      if (current === undefined) return lookAgain;
      if ('redirect' in current) return current;
      const memory = enrolMemory(interaction);
      if (memory.done) {
        if (answer !== 'file') return confirmSaved(step, current, memory, form);
        sendRecoveryCodes(step.ctx, memory.done.codes);
        return undefined;
      }
      const credential = form.get('credential');
      if (credential) return addPasskey(step, current, credential);
      if (answer === 'app' && onlyOf(interaction) === undefined) return begin(step, current);
      if (answer === 'other') await rememberEnrol(interaction, {});
      else if (memory.app && form.has('code')) return (await confirmApp(step, current, memory, form)) ?? undefined;
      return { redirect: action };
    },
  };
}

function onlyOf({ prompt }: StepContext['interaction']): AssuranceDetails['only'] {
  return (prompt.details as AssuranceDetails).only;
}
