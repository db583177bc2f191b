/**
 * A forgotten password, in two pages: the username, then, through the mailed link, the new password. The first page has
 * the same response for every name. Opening the link changes nothing; only the form does. It signs the person in, in
 * the browser that opened the link, and continues the sign-in they came from, if that is this browser's.
 *
 * An intruder may have connected an account elsewhere. So the form lists the connected accounts, and only those that
 * the person confirms stay. Passkeys stay: they are second factors too, and a mailed link must not bypass those.
 */
import type { Context } from 'koa';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { browserOf, keepBrowser } from '../kit/browser-cookie.ts';
import { readCheckedForm } from '../kit/csrf.ts';
import type { PageDeps } from '../kit/deps.ts';
import { passwordErrors } from '../kit/field-errors.ts';
import { busySeconds, formStatus } from '../kit/form.ts';
import { oneOf, signInOf, withSignIn } from '../kit/request.ts';
import type { ClientForm, ClientView, FormProblem } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    forgot: ClientForm & {
      /** As typed. */
      readonly name?: string | undefined;
      readonly error?: 'missing' | 'throttled' | undefined;
      readonly retryAfterSeconds?: number | undefined;
      readonly back?: string | undefined;
    };
    reset: ClientForm &
      FormProblem & {
        readonly username: string;
        readonly minLength: number;
        /** Accounts at other providers that sign in here. */
        readonly elsewhere: readonly { readonly id: string; readonly provider: string; readonly label: string }[];
        /** The accounts elsewhere stay connected. */
        readonly keep?: boolean | undefined;
      };
  }
}

/** The sign-in that the person came from. */
interface CameFrom {
  readonly client: ClientView | undefined;
  /** The redirect targets that the forms here may lead to. */
  readonly formTargets: readonly string[];
}

/** Longer than any name; longer input matches no account. */
const nameMax = 1024;

interface RecoveryDeps extends PageDeps {
  /** The application of the sign-in with this id. */
  readonly cameFrom: (id: string) => Promise<CameFrom | undefined>;
  /** Leaves a notice for the account pages that the password was changed. */
  readonly noteDone: (ctx: Context, subject: string) => void;
}

export function createRecovery(deps: RecoveryDeps): readonly Route[] {
  const { pages, csrf, passwordReset, config } = deps;

  /** The sign-in that the person came from: the pages show its application's brand. */
  async function cameFrom(ctx: Context): Promise<CameFrom | undefined> {
    const from = signInOf(ctx);
    return from && deps.cameFrom(from.id);
  }

  const clientOf = async (ctx: Context): Promise<ClientView | undefined> => (await cameFrom(ctx))?.client;

  // ---- the username -------------------------------------------------------------------------------------------------

  async function ask(ctx: Context, shown: Partial<ViewLocals['forgot']> = {}): Promise<void> {
    const { error } = shown;
    const client = await clientOf(ctx);
    pages.show(
      ctx,
      'forgot',
      { action: withSignIn(ctx, '/forgot'), csrf: csrf.token(ctx), client, back: signInOf(ctx)?.path, ...shown },
      { status: error === 'throttled' ? 429 : error ? 422 : 200 },
    );
  }

  function noMail(ctx: Context): void {
    const from = signInOf(ctx);
    const go = from ? ({ to: from.path, as: 'signIn' } as const) : ({ to: '/', as: 'home' } as const);
    pages.show(ctx, 'notice', { kind: 'no-mail', go }, { status: 404 });
  }

  const showForgot = async (ctx: Context) => {
    if (!deps.mails.work) return noMail(ctx);
    if (oneOf(ctx, 'sent') === undefined) return ask(ctx);
    const from = signInOf(ctx);
    const go = from ? ({ to: from.path, as: 'signIn' } as const) : undefined;
    const client = await clientOf(ctx);
    const seconds = config.mail.resetLinkTtl;
    return pages.show(ctx, 'mail-sent', { about: 'password', client, seconds, go, change: withSignIn(ctx, '/forgot') });
  };

  const sendLink = async (ctx: Context) => {
    const form = await readCheckedForm(deps, ctx);
    if (!form) return undefined;
    if (!deps.mails.work) return noMail(ctx);
    const name = form.get('username')?.trim().slice(0, nameMax) ?? '';
    if (name === '') return ask(ctx, { error: 'missing' });
    const from = signInOf(ctx);
    const caller = { ...callerOf(ctx, 'browser'), browser: browserOf(ctx), locale: pages.localeOf(ctx) };
    const asked = await passwordReset.request(name, caller, from && { from: from.id });
    if (asked.outcome === 'throttled')
      return ask(ctx, { name, error: 'throttled', retryAfterSeconds: asked.retryAfter });
    return seeOther(ctx, withSignIn(ctx, '/forgot', { sent: 'yes' }));
  };

  // ---- the new password ---------------------------------------------------------------------------------------------

  type Shown = FormProblem & Pick<ViewLocals['reset'], 'keep'>;

  async function show(ctx: Context, token: string, account: Account, shown: Shown = {}): Promise<void> {
    const [from, linked] = await Promise.all([cameFrom(ctx), deps.upstream.linked(account.subject)]);
    pages.show(
      ctx,
      'reset',
      {
        action: withSignIn(ctx, '/reset', { token }),
        csrf: csrf.token(ctx, token),
        client: from?.client,
        username: account.username,
        minLength: account.twoFactor ? config.password.minLengthSecondFactor : config.password.minLength,
        elsewhere: linked.map(({ id, provider, label }) => ({ id, provider: deps.upstream.name(provider), label })),
        ...shown,
      },
      {
        status: formStatus(shown.problem, shown.error !== undefined),
        accountLocale: account.locale,
        formTargets: from?.formTargets ?? [],
      },
    );
  }

  async function gone(ctx: Context): Promise<void> {
    const client = await clientOf(ctx);
    const go = deps.mails.work ? ({ to: withSignIn(ctx, '/forgot'), as: 'again' } as const) : undefined;
    pages.show(ctx, 'notice', { kind: 'reset-gone', client, go }, { status: 410 });
  }

  const openLink = async (ctx: Context) => {
    const token = oneOf(ctx, 'token') ?? '';
    const account = await passwordReset.look(token);
    return account ? show(ctx, token, account) : gone(ctx);
  };

  const setPassword = async (ctx: Context) => {
    const token = oneOf(ctx, 'token') ?? '';
    // The form is bound to this link: only the browser that opened it sets the password and is signed in.
    const form = await readCheckedForm(deps, ctx, { about: token });
    if (!form) return undefined;
    const account = await passwordReset.look(token);
    if (!account) return gone(ctx);
    const password = form.get('password') ?? '';
    const kept = form.get('keep')?.split(' ') ?? [];
    const keep = kept.length > 0;
    if (password === '') return show(ctx, token, account, { keep, error: 'required' });
    const caller = { ...callerOf(ctx, 'reset-link'), browser: browserOf(ctx), locale: pages.localeOf(ctx) };
    try {
      const outcome = await passwordReset.complete(token, password, kept, caller);
      switch (outcome.outcome) {
        case 'changed':
          if (outcome.browser) keepBrowser(ctx, outcome.browser);
          deps.noteDone(ctx, account.subject);
          return await deps.letIn(ctx, outcome.account, {
            after: 'reset-link',
            page: '/account',
            from: signInOf(ctx)?.id,
          });
        case 'weak-password':
          return show(ctx, token, account, { keep, error: passwordErrors[outcome.reason.code] });
        case 'gone':
          return gone(ctx);
      }
    } catch (error) {
      return show(ctx, token, account, { keep, problem: 'busy', retryAfterSeconds: busySeconds(error) });
    }
  };

  return pageRoutes('pages/recovery', [
    { path: '/forgot', access: 'public', GET: showForgot, POST: sendLink },
    { path: '/reset', access: 'link', GET: openLink, POST: setPassword },
  ]);
}
