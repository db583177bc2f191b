/**
 * The pages in the middle of an authorization: who you are, and whether the application may.
 *
 *   engine: 303 /interaction/:uid -> [dispatcher] -> login (-> second factor) | sign-up | another provider (upstream.ts) | consent
 *   -> 303 back to the engine, which asks again or answers
 *
 * The dispatcher alone decides which step comes: by what the engine asks for and what the interaction remembers of the password,
 * never by what a form claims. Steps do not call steps. An interaction belongs to the browser it was started in (a signed cookie bound to its path); a finished, expired or
 * foreign one gets the page that offers to start again.
 */

import type { Context } from 'koa';
import { errors, type Interaction, type Provider } from 'oidc-provider';
import { seeOther } from '../../../http/hardening.ts';
import { pageRoutes, type Route } from '../../../http/routes.ts';
import { type Csrf, readCheckedForm } from '../csrf.ts';
import type { Pages } from '../page.ts';
import { forgetting, heldBack, waitsForSecondFactor, waitsForUpstream } from './memory.ts';

/** One page of the way. */
export interface Step {
  show(step: StepContext): Promise<void>;
  /** Takes the form; either answers with a page again or returns what the engine is to be told. */
  take(step: StepContext, form: ReadonlyMap<string, string>): Promise<InteractionResults | Redirect | undefined>;
}

/** An address below the interaction's own that leads on and shows nothing; undefined: there is no such thing. Only at the sign-in. */
export type Detour = (step: StepContext) => Promise<InteractionResults | Redirect | undefined>;

/** The way in with a pass (pass.ts). */
export interface WithPass {
  /** Whether this browser's is for the sign-in at hand, as it is for that of the account pages. An application's has an address for it. */
  isFor(step: StepContext): boolean;
  /** Always leads on: to the next page, where the pass is good, otherwise to the sign-in page. */
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

/** Nobody has proved who they are yet, or somebody else may want to. */
function isAtSignIn({ prompt }: Interaction): boolean {
  return prompt.name === 'login' || prompt.name === 'select_account' || prompt.name === 'create';
}

/** The page before the sign-in, where the application asks for one. */
const firstSteps: Readonly<Record<string, string>> = { select_account: 'chooser', create: 'sign-up' };

export function createInteractions(deps: {
  provider: () => Provider;
  pages: Pages;
  csrf: Csrf;
  /**
   * By the engine's prompt name; `second-factor` or `longer-password` comes between `login` and its end, `sign-up` in its place, `chooser`
   * before it.
   */
  steps: Readonly<Record<string, Step>>;
  /** By their path below the interaction's. */
  detours: Readonly<Record<string, Detour>>;
  /** A person has proved who they are, and will be signed in. `byPass`: what led here was told to them by a mail of its own. */
  arrived: (step: StepContext, login: NonNullable<InteractionResults['login']>, byPass: boolean) => Promise<void>;
  /** In place of the sign-in page, for a person who has set their password a moment ago. */
  withPass: WithPass;
  /** Where those go on who come with a pass for a sign-in that is not this browser's, or is over. */
  homeWithPass: string;
  /** The authorization request behind a finished interaction, as an address to start it again; undefined: not known any more. */
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

  /** The same, also where the session in which it was begun has ended, as it does with the password. */
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

  /** Tells the engine, and where to go on; undefined where the interaction was finished in another tab meanwhile. */
  async function finish(step: StepContext, result: InteractionResults, byPass: boolean): Promise<string | undefined> {
    const { ctx, provider } = step;
    try {
      // A person who has signed in has chosen the account, and made one if they wanted to.
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
    // The page before may be sent again (Back, another account): a form may lead back, never ahead.
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
