/**
 * The pages of an interaction: who the person is, and whether they consent.
 *
 *   engine: 303 /interaction/:uid -> [dispatcher] -> login (-> second factor) | sign-up | upstream | consent
 *   -> 303 back to the engine, which prompts again or answers
 *
 * The dispatcher alone chooses the step, by the engine's prompt and by what the interaction remembers, never by what
 * a form claims. Steps do not call steps. An interaction belongs to one browser, by a signed cookie bound to its path.
 * A finished, expired or foreign one gets the page that offers to start again.
 */

import type { Context } from 'koa';
import { errors, type Interaction, type Provider } from 'oidc-provider';
import { seeOther } from '../../../http/hardening.ts';
import { pageRoutes, type Route } from '../../../http/routes.ts';
import { type Csrf, readCheckedForm } from '../csrf.ts';
import type { Pages } from '../page.ts';
import { forgetting, heldBack, waitsForSecondFactor, waitsForUpstream } from './memory.ts';

/** One page of an interaction. */
export interface Step {
  show(step: StepContext): Promise<void>;
  /** Handles the post. Either shows a page again and returns undefined, or returns the result for the engine. */
  take(step: StepContext, form: ReadonlyMap<string, string>): Promise<InteractionResults | Redirect | undefined>;
}

/**
 * A path below the interaction's that only redirects. Returns undefined if there is no such target. Used during the
 * sign-in only.
 */
export type Detour = (step: StepContext) => Promise<InteractionResults | Redirect | undefined>;

/** Sign-in with a pass (pass.ts). */
export interface WithPass {
  /**
   * True if the browser's pass belongs to this sign-in, which is so for the account pages. For clients, a pass has its
   * own path.
   */
  isFor(step: StepContext): boolean;
  /** Redirects to the next page if the pass is valid, otherwise to the sign-in page. */
  take(step: StepContext): Promise<InteractionResults | Redirect>;
}

export interface StepContext {
  readonly ctx: Context;
  readonly provider: Provider;
  readonly interaction: Interaction;
  /** Where this page's form posts to. */
  readonly action: string;
}

export type InteractionResults = NonNullable<Interaction['result']>;
export interface Redirect {
  readonly redirect: string;
}

/** The person has not proved who they are yet, or may want to switch accounts. */
function isAtSignIn({ prompt }: Interaction): boolean {
  return prompt.name === 'login' || prompt.name === 'select_account' || prompt.name === 'create';
}

/** The page before the sign-in, by the prompt that the client requests. */
const firstSteps: Readonly<Record<string, string>> = { select_account: 'chooser', create: 'sign-up' };

export function createInteractions(deps: {
  provider: () => Provider;
  pages: Pages;
  csrf: Csrf;
  /**
   * By the engine's prompt name. `second-factor` and `longer-password` follow `login`; `sign-up` replaces it; `chooser`
   * precedes it.
   */
  steps: Readonly<Record<string, Step>>;
  /** By their path below the interaction's path. */
  detours: Readonly<Record<string, Detour>>;
  /** The person is signed in. `byPass`: they used a pass, for which they have already received a mail. */
  arrived: (step: StepContext, login: NonNullable<InteractionResults['login']>, byPass: boolean) => Promise<void>;
  /** Replaces the sign-in page for a person who has just set their password. */
  withPass: WithPass;
  /** The target for a pass whose sign-in belongs to another browser or is finished. */
  homeWithPass: string;
  /**
   * The address that starts a finished interaction's authorization request again. Undefined if the request is not known
   * any more.
   */
  startAgain: (uid: string) => Promise<string | undefined>;
}): readonly Route[] {
  async function open(ctx: Context): Promise<StepContext | undefined> {
    const provider = deps.provider();
    const uid = String(ctx.params.uid);
    let interaction: Interaction;
    try {
      interaction = await provider.interactionDetails(ctx.req, ctx.res);
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
    return interaction.uid === uid ? { ctx, provider, interaction, action: actionOf(ctx) } : undefined;
  }

  /** Like `open`, but accepts an interaction whose session has ended: setting a new password ends the session. */
  async function openForPass(ctx: Context): Promise<StepContext | undefined> {
    const provider = deps.provider();
    const { cookies } = provider.createContext(ctx.req, ctx.res);
    const uid = cookies.get(provider.cookieName('interaction'), { signed: true });
    const interaction = uid === ctx.params.uid && uid !== undefined ? await provider.Interaction.find(uid) : undefined;
    if (interaction === undefined || !isAtSignIn(interaction)) return undefined;
    if (interaction.session?.uid !== undefined && !(await provider.Session.findByUid(interaction.session.uid))) {
      interaction.session = undefined;
      await interaction.persist();
    }
    return { ctx, provider, interaction, action: actionOf(ctx) };
  }

  async function stale(ctx: Context): Promise<void> {
    const startAgain = await deps.startAgain(String(ctx.params.uid));
    deps.pages.show(ctx, 'stale', { startAgain }, { status: 400 });
  }

  /** Returns the next address. Returns undefined if the interaction has been finished in another tab. */
  async function finish(step: StepContext, result: InteractionResults, byPass: boolean): Promise<string | undefined> {
    const { ctx, provider } = step;
    try {
      // A sign-in also answers the prompts `select_account` and `create`.
      const whole = result.login === undefined ? result : { ...result, select_account: {}, create: {} };
      const next = await provider.interactionResult(ctx.req, ctx.res, forgetting(whole));
      if (result.login) await deps.arrived(step, result.login, byPass);
      return next;
    } catch (error) {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    }
  }

  async function goOn(step: StepContext, found: InteractionResults | Redirect, byPass = false): Promise<void> {
    const { ctx } = step;
    const result = (await heldBack(step, found)) ?? found;
    const next = 'redirect' in result ? String(result.redirect) : await finish(step, result, byPass);
    if (next === undefined) {
      await stale(ctx);
      return;
    }
    seeOther(ctx, next);
  }

  function stepOf({ ctx, interaction, action }: StepContext, form?: ReadonlyMap<string, string>): Step | undefined {
    const { name } = interaction.prompt;
    if (!isAtSignIn(interaction)) return ctx.path === action ? deps.steps[name] : undefined;
    if (ctx.path === `${action}/sign-up`) return deps.steps['sign-up'];
    if (ctx.path === `${action}/accounts`) return deps.steps.chooser;
    // The previous page may be posted again (Back, another account). A form may lead back, never ahead.
    const back = form?.has('password') || form?.has('passkey');
    const provider = !back && (form?.has('upstream') || (!form && waitsForUpstream(interaction)));
    if (provider) return deps.steps.upstream;
    const waiting = back ? undefined : waitsForSecondFactor(interaction);
    if (waiting) return deps.steps[waiting.short ? 'longer-password' : 'second-factor'];
    const begun = form !== undefined || ctx.query.account !== undefined || interaction.lastSubmission !== undefined;
    return deps.steps[begun ? 'login' : (firstSteps[name] ?? 'login')];
  }

  const show = async (ctx: Context) => {
    const step = await open(ctx);
    const page = step && stepOf(step);
    if (step && page === deps.steps.login && deps.withPass.isFor(step))
      await goOn(step, await deps.withPass.take(step), true);
    else if (step && page) await page.show(step);
    else await stale(ctx);
  };

  const comeWithPass = async (ctx: Context) => {
    const step = await openForPass(ctx);
    if (step) await goOn(step, await deps.withPass.take(step), true);
    else seeOther(ctx, deps.homeWithPass);
  };

  const take = async (ctx: Context) => {
    const form = await readCheckedForm(deps, ctx, {
      more: async () => ({ startAgain: await deps.startAgain(String(ctx.params.uid)) }),
    });
    if (!form) return;
    const step = await open(ctx);
    const page = step && stepOf(step, form);
    if (!step || !page) {
      await stale(ctx);
      return;
    }
    const result =
      form.get('answer') === 'cancel'
        ? { error: 'access_denied', error_description: 'the person cancelled' }
        : await page.take(step, form);
    if (result !== undefined) await goOn(step, result);
  };

  const goBy = (detour: Detour) => async (ctx: Context) => {
    const step = await open(ctx);
    const onward = step && isAtSignIn(step.interaction) ? await detour(step) : undefined;
    if (step && onward) await goOn(step, onward);
    else await stale(ctx);
  };

  const access = 'interaction';
  const base = '/interaction/:uid';
  return pageRoutes('pages/sign-in', [
    ...[base, `${base}/sign-up`, `${base}/accounts`].map((path) => ({ path, access, GET: show, POST: take }) as const),
    { path: `${base}/pass`, access, GET: comeWithPass },
    ...Object.entries(deps.detours).map(([path, to]) => ({ path: `${base}/${path}`, access, GET: goBy(to) }) as const),
  ]);
}

const actionOf = (ctx: Context): string => `/interaction/${ctx.params.uid}`;
