/**
 * Sign-in through another provider, during an authorization.
 *
 *   login -> [start] -> provider -> [/upstream/:provider/callback] -> [callback] -> signed in | second factor
 *     -> choose -> account created | login (-> second factor) -> confirm
 *
 * The cookie of an interaction is bound to its path, so the providers' redirect URI does not receive it. The redirect
 * URI reads the interaction from the sealed state and continues there. A browser that did not start this sign-in has no
 * cookie for it and is refused, so a link cannot sign a person in as another (security.md B3).
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
import type { ClientForm, FormProblem, ProviderView, UpstreamFailureKind } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    /** For a person from another provider who has no account here yet. */
    'upstream-new': ClientForm &
      FormProblem & {
        readonly provider: ProviderView;
        /** The person's name at the provider. */
        readonly label: string;
        readonly email?: string | undefined;
        readonly signUp: boolean;
        /** An account here has that e-mail address: the person can connect it, but not create another. */
        readonly known: boolean;
        /** As the user typed it, or a suggestion from the provider. */
        readonly username?: string | undefined;
      };
    'upstream-connect': ClientForm & {
      readonly provider: ProviderView;
      readonly label: string;
      readonly account: { readonly name?: string | undefined; readonly username: string };
    };
    /** Shown for a moment on the way back from a provider. */
    onward: { readonly to: string };
  }
}

type Pending = NonNullable<UpstreamMemory['pending']>;
type Onward = InteractionResults | Redirect;

/** The redirect URIs for providers: one for each provider, against mix-up attacks (RFC 9700, section 4.4.2). */
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
    // A page, not a redirect: Chromium applies `form-action` to every redirect after a form, and the provider's consent
    // page allows this server only, not the client to which the next steps redirect.
    ctx.set('Refresh', `0; url=${to}`);
    deps.pages.show(ctx, 'onward', { to });
  };
  // For the form post response mode. The post comes from another site, without `SameSite=Lax` cookies, so it is
  // redirected to the same parameters in the query, as at /oauth/authorize.
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

/** Other parameters are dropped. Apple adds the person's name, unsigned. */
const answerParameters = ['code', 'state', 'iss', 'error'];
/** Characters. URL and cookies together must fit into 16 KiB of headers. */
const longestAnswer = 8192;

/** By their path below the interaction's path. */
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
        // Starting at another provider abandons a connection in progress.
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
        // The callback was opened twice (Back, reload): keep the result of the first time.
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

/** Returns to the sign-in page, which shows the failure. */
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

/** Returns undefined if no account here is connected with the identity. */
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

/** The pages in between: for a new person, and before two accounts are connected. */
export function createUpstreamStep(deps: PageDeps): Step {
  const { upstream, pages } = deps;

  async function common(step: StepContext, { proof }: Pending) {
    const { locals, options } = await frameOf(deps, step);
    return { locals: { ...locals, provider: deps.providerLogos.view(proof.provider), label: proof.label }, options };
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
    // After a double click, the name is taken by the account that the first click created.
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
    // After a change of password, an old copy of this page must not sign its user in.
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
      // The dispatcher has checked this.
      if (pending === undefined) throw new Error('no sign-in through a provider is pending');
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
