/**
 * Adding a second factor in the middle of an authorization: because it is required, or because the person was invited
 * to and said yes.
 *
 *   which kind -> app: QR code, its first code -> recovery codes, shown once -> signed in, with two factors
 *              -> passkey: the browser's own dialogue -> (recovery codes ->) the same
 *
 * The engine decides that it comes to this (oidc/requests/assurance) and looks again when it is over: going on without
 * it leads back here. Every look at it asks anew whose session stands, and whether it may: nobody adds one to an
 * account that has one already without having given that one, and none is begun without a sign-in of the last minutes
 * (security.md B11).
 */
import { nowSeconds } from '../../base/clock.ts';
import { assuranceOf, freshSeconds } from '../../core/factors/assurance.ts';
import type { Amr } from '../../core/kernel/amr.ts';
import { displayName } from '../../core/kernel/names.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import type { AssuranceDetails } from '../../oidc/requests/assurance.ts';
import type { PageDeps } from '../kit/deps.ts';
import { requestOf, restartAddress } from '../kit/interaction/authorization-request.ts';
import { type CurrentSession, currentSessionOf } from '../kit/interaction/current-session.ts';
import type { InteractionResults, Redirect, Step, StepContext } from '../kit/interaction/dispatcher.ts';
import { frameOf } from '../kit/interaction/frame.ts';
import { surerResult } from '../kit/interaction/login-result.ts';
import { passkeyPurpose } from '../kit/interaction/passkey.ts';
import { qrCode } from '../kit/qr-code.ts';
import { sendRecoveryCodes } from '../kit/recovery-codes.ts';
import type { ClientForm } from '../kit/view-parts.ts';
import { type EnrolMemory, enrolMemory, rememberEnrol } from './enrol-memory.ts';

/** In the first code of an app that is being added. */
type EnrolError = 'missing' | 'wrong';

/** Why there is no second factor yet. */
export const enrolProblems = ['passkey-refused', 'passkey-taken', 'app-gone'] as const;

declare module '../kit/views.ts' {
  interface ViewLocals {
    enrol: ClientForm & {
      readonly account: { readonly name?: string | undefined; readonly username: string };
      /** They may go on without. */
      readonly invited: boolean;
      /** An authenticator app would do. */
      readonly app: boolean;
      /** What the browser is asked to make a passkey with, in JSON; left out: there can be no more. */
      readonly passkey?: string | undefined;
      readonly problem?: (typeof enrolProblems)[number] | undefined;
    };
    'enrol-app': ClientForm & {
      /** Base32, in groups. */
      readonly secret: string;
      readonly code: { readonly size: number; readonly path: string };
      readonly error?: EnrolError | undefined;
    };
    'enrol-codes': ClientForm & { readonly codes: readonly string[] };
  }
}

type Onward = InteractionResults | Redirect;
type Form = ReadonlyMap<string, string>;
type Done = NonNullable<EnrolMemory['done']>;

/** Nothing to tell: the engine looks once more at what is there. */
const lookAgain: Onward = {};

export function createEnrolStep(deps: PageDeps): Step {
  const { pages, factors, passkeys } = deps;
  const [kind] = factors.enrols;

  /** Who it is, or where to go instead. */
  async function enter(step: StepContext): Promise<CurrentSession | Redirect | undefined> {
    const { interaction } = step;
    const current = await currentSessionOf(step, deps.stores.accounts);
    if (current === undefined) return { redirect: restartAddress(interaction.params) };
    const memory = enrolMemory(interaction);
    if (memory.done) return current;
    const { required } = await factors.methods(current.account.subject);
    // It came by another tab meanwhile: then it is to be given, not another one added.
    if (required && assuranceOf(current.amr) === 'single') return undefined;
    const fresh = nowSeconds() - current.signedInAt <= freshSeconds;
    return fresh || memory.app ? current : { redirect: restartAddress(interaction.params, { prompt: 'login' }) };
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
      pages.show(ctx, 'enrol-codes', { ...common, codes: memory.done.codes }, options);
    } else if (memory.app) {
      const secret = memory.app.secret.match(/.{1,4}/g)?.join(' ') ?? '';
      const code = await qrCode(memory.app.uri);
      pages.show(ctx, 'enrol-app', { ...common, secret, code, error }, options);
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

  async function begin({ interaction, action }: StepContext, { account }: CurrentSession): Promise<Onward> {
    const begun = await factors.begin(kind, account.subject);
    // Five apps, all of them locked: an admin's business.
    if (begun.outcome !== 'begun') return { error: 'access_denied', error_description: 'no app can be added' };
    const { factorId, secret, uri } = begun;
    await rememberEnrol(interaction, { app: { factorId, secret, uri } });
    return { redirect: action };
  }

  /** On to the codes, where there are any to be kept. */
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
    const outcome = await passkeys.finishEnrolment(subject, { purpose, credential, name: '' }, callerIn(step));
    if (outcome.outcome === 'enrolled')
      return enrolled(step, current, [outcome.passkey.synced ? 'swk' : 'hwk', 'user'], outcome.recoveryCodes);
    await rememberEnrol(interaction, { problem: outcome.outcome === 'taken' ? 'passkey-taken' : 'passkey-refused' });
    return { redirect: action };
  }

  function callerIn({ ctx, interaction }: StepContext) {
    return { ...callerOf(ctx, 'browser'), locale: pages.localeOf(ctx, requestOf(interaction).uiLocales) };
  }

  return {
    async show(step) {
      const { ctx, interaction } = step;
      const current = await enter(step);
      if (current && 'account' in current) return show(step, current, enrolMemory(interaction));
      // Nothing is told to the engine by a look: going on without a result asks it again.
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
        if (answer === 'file') sendRecoveryCodes(step.ctx, memory.done.codes);
        else if (answer === 'done') return finished(step, current, memory.done);
        else return { redirect: action };
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
