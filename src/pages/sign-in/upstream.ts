/**
 * Signing in through another provider, in the middle of an authorization.
 *
 *   login -> [start] -> provider -> [/upstream/:provider/callback] -> [callback] -> signed in | second factor
 *                                                                 -> choose -> account made | login (-> second factor) -> confirm
 *
 * The callback that providers know has no cookie of the interaction, which is bound to the interaction's path: it reads in the sealed
 * state which one it is and sends the browser there. A browser that has not begun it has no cookie for it, and is refused like any
 * stranger (security.md B3); so nobody is signed in as somebody else by a link.
 */
import type { Context } from 'koa';
import { displayName } from '../../core/kernel/names.ts';
import { passwordMark } from '../../core/kernel/password-proof.ts';
import type { UpstreamProof } from '../../core/upstream/upstream.ts';
import { readForm } from '../../http/body.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import type { PageDeps } from '../kit/deps.ts';
import { nameErrors } from '../kit/field-errors.ts';
import { formStatus } from '../kit/form.ts';
import { requestOf } from '../kit/interaction/authorization-request.ts';
import type { Detour, InteractionResults, Redirect, Step, StepContext } from '../kit/interaction/dispatcher.ts';
import { frameOf } from '../kit/interaction/frame.ts';
import { loginResult } from '../kit/interaction/login-result.ts';
import {
  freshnessOf,
  isToBeKept,
  noteKeep,
  remember,
  rememberUpstream,
  type UpstreamMemory,
  upstreamMemory,
} from '../kit/interaction/memory.ts';
import type { ClientForm, FormProblem, UpstreamFailureKind } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    /** For a person whom another provider has proved, and who has no account here yet. */
    'upstream-new': ClientForm &
      FormProblem & {
        readonly provider: string;
        /** What the person is called there. */
        readonly label: string;
        readonly email?: string | undefined;
        readonly signUp: boolean;
        /** An account here has that address: it can be connected, and no other be made. */
        readonly known: boolean;
        /** As it was typed, or as the person is called there. */
        readonly username?: string | undefined;
      };
    'upstream-connect': ClientForm & {
      readonly provider: string;
      readonly label: string;
      readonly account: { readonly name?: string | undefined; readonly username: string };
    };
    /** For a moment, on the way back from a provider. */
    onward: { readonly to: string };
  }
}

type Pending = NonNullable<UpstreamMemory['pending']>;
type Onward = InteractionResults | Redirect;

/** Where providers send people back: one address for each, so that none can answer for another (RFC 9700, section 4.4.2). */
export function createUpstreamCallback(deps: PageDeps): readonly Route[] {
  const comeBack = async (ctx: Context) => {
    const provider = String(ctx.params.provider);
    const answer = new URLSearchParams(ctx.querystring);
    const place = deps.upstream.placeOf(provider, answer.get('state') ?? '');
    if (place === undefined) {
      deps.pages.show(ctx, 'stale', {}, { status: 400 });
      return;
    }
    const path =
      place.kind === 'interaction'
        ? `/interaction/${place.uid}/upstream/${provider}/callback`
        : `/account/identities/callback/${provider}`;
    const to = `${path}?${answer}`;
    // A page, no redirect: Chromium holds every redirect after a form to the `form-action` of the form's page, and the provider's
    // consent page names this server, but not the application to which a remembered person would be sent on from here.
    ctx.set('Refresh', `0; url=${to}`);
    deps.pages.show(ctx, 'onward', { to });
  };
  // An answer as a form (OAuth 2.0 Form Post Response Mode): another site's page posts it, and no `SameSite=Lax` cookie comes with it.
  // So it goes on as the same answer in the query, as at /oauth/authorize, and is looked at there.
  const comeBackByForm = async (ctx: Context) => {
    const form = await readForm(ctx);
    const answer = new URLSearchParams();
    for (const name of answerParameters) if (form.has(name)) answer.set(name, form.get(name) ?? '');
    const known = deps.upstream.placeOf(String(ctx.params.provider), answer.get('state') ?? '') !== undefined;
    if (!known || String(answer).length > longestAnswer) {
      deps.pages.show(ctx, 'stale', {}, { status: 400 });
      return;
    }
    seeOther(ctx, `${ctx.path}?${answer}`);
  };
  return pageRoutes('pages/sign-in', [
    { path: '/upstream/:provider/callback', access: 'interaction', GET: comeBack, POST: comeBackByForm },
  ]);
}

/** What is looked at. Apple adds what the person is called there, in no way that proves it. */
const answerParameters = ['code', 'state', 'iss', 'error'];
/** Characters: an address has to fit into 16 KiB with the cookies. */
const longestAnswer = 8192;

/** Addresses below an interaction's own. */
export function createUpstreamDetours(deps: PageDeps): Readonly<Record<string, Detour>> {
  return {
    'upstream/:provider': async (step) => {
      const { ctx, interaction } = step;
      const provider = String(ctx.params.provider);
      const about = {
        place: { kind: 'interaction', uid: interaction.uid } as const,
        fresh: freshnessOf(interaction),
        uiLocales: requestOf(interaction).uiLocales,
      };
      const begun = await deps.upstream.begin(provider, about, callerOf(ctx, 'browser'));
      if (begun.outcome === 'address') {
        // A second account that is being connected: one thing at a time.
        const keep = ctx.query.keep === 'yes';
        noteKeep(interaction, keep);
        if (keep || interaction.lastSubmission?.upstream !== undefined) await rememberUpstream(interaction, {});
        return { redirect: begun.address };
      }
      if (begun.outcome === 'unknown') return undefined;
      return failed(step, provider, begun.reason);
    },

    'upstream/:provider/callback': async (step) => {
      const { ctx, interaction, action } = step;
      const provider = String(ctx.params.provider);
      const place = { kind: 'interaction', uid: interaction.uid } as const;
      const caller = callerOf(ctx, 'browser');
      const finished = await deps.upstream.finish(provider, place, new URLSearchParams(ctx.querystring), caller);
      if (finished.outcome === 'failed') {
        // An address that is opened a second time, by Back or by a reload, must not undo what the first time brought.
        if (finished.reason === 'expired' && upstreamMemory(interaction).pending) return { redirect: action };
        return failed(step, provider, finished.reason, finished.retryAfter);
      }
      const onward = await signedIn(deps, step, finished.proof);
      if (onward !== undefined) return onward;
      await rememberUpstream(interaction, { pending: { stage: 'choose', proof: finished.proof } });
      return { redirect: action };
    },
  };
}

/** Back to the sign-in page, which says so. */
async function failed(
  { ctx, interaction, action }: StepContext,
  provider: string,
  kind: UpstreamFailureKind,
  retryAfterSeconds?: number,
): Promise<Redirect> {
  const reference = callerOf(ctx, 'browser').requestId;
  await rememberUpstream(interaction, { failed: { kind, provider, reference, retryAfterSeconds } });
  return { redirect: action };
}

/** Undefined where no account here is connected with it. */
async function signedIn(deps: PageDeps, step: StepContext, proof: UpstreamProof): Promise<Onward | undefined> {
  const { ctx, interaction, action } = step;
  const outcome = await deps.upstream.signIn(proof, callerOf(ctx, 'browser'));
  switch (outcome.outcome) {
    case 'unknown':
      return undefined;
    case 'expired':
      return failed(step, proof.provider, 'expired');
    case 'refused':
      return failed(step, proof.provider, 'refused');
    case 'throttled':
      return failed(step, proof.provider, 'throttled', outcome.retryAfter);
    case 'signed-in':
      return loginResult(outcome, isToBeKept(interaction));
    case 'second-factor': {
      await rememberUpstream(interaction, {});
      const account = await deps.stores.accounts.bySubject(outcome.proof.subject);
      const { proof: waiting, methods, mailed } = outcome;
      const mailedTo = mailed === undefined || mailed.outcome === 'failed' ? undefined : mailed.to;
      await remember(interaction, { username: account?.username ?? '', proof: waiting, methods, mailedTo });
      return { redirect: action };
    }
  }
}

/** The pages that come between: somebody new, and two accounts to be connected. */
export function createUpstreamStep(deps: PageDeps): Step {
  const { upstream, pages } = deps;

  async function common(step: StepContext, { proof }: Pending) {
    const { locals, options } = await frameOf(deps, step);
    return { locals: { ...locals, provider: upstream.name(proof.provider), label: proof.label }, options };
  }

  async function showNew(
    step: StepContext,
    pending: Pending,
    shown: FormProblem & Pick<ViewLocals['upstream-new'], 'username'> = {},
  ): Promise<void> {
    const { locals, options } = await common(step, pending);
    const newcomer = await upstream.newcomer(pending.proof);
    const status = formStatus(shown.problem, shown.error !== undefined);
    const { email } = pending.proof;
    const all = { ...locals, email, ...newcomer, ...shown };
    pages.show(step.ctx, 'upstream-new', all, { ...options, status });
  }

  async function create(step: StepContext, pending: Pending, typed: string): Promise<Onward | undefined> {
    const { ctx, interaction } = step;
    const username = typed.trim();
    if (username === '') {
      await showNew(step, pending, { username, error: 'required' });
      return undefined;
    }
    const locale = pages.localeOf(ctx, requestOf(interaction).uiLocales);
    const made = await upstream.signUp(pending.proof, username, { ...callerOf(ctx, 'browser'), locale });
    // Pressed twice: the second finds the name taken, by the account that the first has just made.
    const already = made.outcome === 'closed' ? undefined : await signedIn(deps, step, pending.proof);
    if (already !== undefined) return already;
    switch (made.outcome) {
      case 'taken':
        await showNew(step, pending, { username, ...(made.field === 'username' && { error: 'taken' }) });
        return undefined;
      case 'invalid':
        await showNew(step, pending, { username, error: nameErrors[made.reason] });
        return undefined;
      case 'throttled':
        await showNew(step, pending, { username, problem: 'throttled', retryAfterSeconds: made.retryAfter });
        return undefined;
      default:
        await showNew(step, pending, { username });
        return undefined;
    }
  }

  async function connect(step: StepContext, { proof, proved }: Pending): Promise<Onward> {
    if (proved === undefined) return { redirect: step.action };
    // A changed password keeps out whoever knew the old one: this page, left open, must not give them another way in.
    const account = await deps.stores.accounts.bySubject(proved.accountId);
    if (account?.disabledAt !== null || proved.password !== passwordMark(account))
      return failed(step, proof.provider, 'expired');
    const caller = callerOf(step.ctx, 'browser');
    const linked = await upstream.link(proof, account, caller);
    if (linked === 'linked') return { login: proved };
    return failed(step, proof.provider, linked === 'taken' ? 'taken' : 'expired');
  }

  return {
    async show(step) {
      const { pending } = upstreamMemory(step.interaction);
      // The dispatcher has looked a moment ago.
      if (pending === undefined) throw new Error('nobody has come from a provider');
      if (pending.stage === 'choose') {
        await showNew(step, pending);
        return;
      }
      const { locals, options } = await common(step, pending);
      const account = await deps.stores.accounts.bySubject(pending.proved?.accountId ?? '');
      const username = account?.username ?? '';
      const person = { name: account && displayName(account), username };
      pages.show(step.ctx, 'upstream-connect', { ...locals, account: person }, options);
    },

    async take(step, form) {
      const { interaction, action } = step;
      const { pending } = upstreamMemory(interaction);
      if (pending === undefined) return { redirect: action };
      const { stage, proof, proved } = pending;
      switch (form.get('upstream')) {
        case 'create':
          if (stage === 'choose') return create(step, pending, form.get('username') ?? '');
          return { redirect: action };
        case 'link':
          if (stage === 'choose') await rememberUpstream(interaction, { pending: { stage: 'link', proof } });
          return { redirect: action };
        case 'connect':
          return connect(step, pending);
        case 'skip':
          return proved === undefined ? { redirect: action } : { login: proved };
        default:
          await rememberUpstream(interaction, {});
          return { redirect: action };
      }
    },
  };
}
