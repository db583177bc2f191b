/** Pages without an application: the welcome page, the setup of the first administrator, and static files. */
import type { Context, Next } from 'koa';
import { displayName } from '../../core/kernel/names.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { readCheckedForm } from '../kit/csrf.ts';
import type { PageDeps } from '../kit/deps.ts';
import { nameErrors, passwordErrors } from '../kit/field-errors.ts';
import { sendStatic } from '../kit/static.ts';
import type { SetupError } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';

type SetupField = 'username' | 'password';
declare module '../kit/views.ts' {
  interface ViewLocals {
    welcome: {
      readonly account?: { readonly name: string; readonly username: string } | undefined;
      readonly signOut?: string | undefined;
      /** Everyone may create an account. */
      readonly signUp: boolean;
      /** For the developer of this server alone (http/developer). */
      readonly developer?:
        | {
            readonly issuer: string;
            /** The first administrator is still to be created. */
            readonly noAdministrator: boolean;
            /** Mails are shown instead of sent. */
            readonly mails: boolean;
            readonly gallery: boolean;
          }
        | undefined;
    };
    setup: {
      readonly action: string;
      readonly csrf: string;
      readonly minLength: number;
      readonly username?: string | undefined;
      readonly errors: Readonly<Partial<Record<SetupField, SetupError>>>;
    };
    'setup-done': {
      readonly username: string;
      readonly development: boolean;
      /** This server sends mails, so an address can be confirmed. */
      readonly mails: boolean;
    };
  }
}

type SetupLocals = ViewLocals['setup'];

interface WelcomeDeps extends PageDeps {
  /** Keeps the mails of a development server. */
  readonly mailbox: object | undefined;
  readonly hasGallery: boolean;
}

export function createWelcome(deps: WelcomeDeps): readonly Route[] {
  const { pages, setup } = deps;

  const forDeveloper = async (): Promise<ViewLocals['welcome']['developer']> => ({
    issuer: deps.issuer,
    noAdministrator: await setup.isNeeded(),
    mails: deps.mailbox !== undefined,
    gallery: deps.hasGallery,
  });

  const welcome = async (ctx: Context) => {
    const account = await deps.signedIn(ctx);
    pages.show(
      ctx,
      'welcome',
      {
        account: account && { name: displayName(account), username: account.username },
        signOut: '/oauth/logout',
        signUp: deps.config.signUp === 'open',
        developer: deps.isDeveloper(ctx.req) ? await forDeveloper() : undefined,
      },
      { accountLocale: account?.locale },
    );
  };

  const openSetup = async (ctx: Context) => {
    const token = oneToken(ctx);
    if (!(await setup.isOpen(token))) return pages.show(ctx, 'stale', { setup: true }, { status: 410 });
    return showForm(ctx, token, {});
  };

  const takeSetup = async (ctx: Context) => {
    const token = oneToken(ctx);
    const form = await readCheckedForm(deps, ctx);
    if (!form) return undefined;
    const username = form.get('username')?.trim() ?? '';
    const password = form.get('password') ?? '';
    // All other facts are on the account pages, so that this form is short.
    const account = { username, password, firstName: '', lastName: '' };
    const outcome = await setup.complete(token, account, callerOf(ctx, 'browser'));
    switch (outcome.outcome) {
      case 'created':
        return deps.letIn(ctx, outcome.account, { after: 'setup', page: '/setup/done' });
      case 'gone':
        return pages.show(ctx, 'stale', { setup: true }, { status: 410 });
      case 'taken':
        return showForm(ctx, token, { username, errors: { username: 'taken' } });
      case 'weak-password':
        return showForm(ctx, token, { username, errors: { password: passwordErrors[outcome.reason.code] } });
      case 'invalid':
        return showForm(ctx, token, { username, errors: { username: nameErrors[outcome.reason] } });
    }
  };

  const showDone = async (ctx: Context) => {
    const account = await deps.signedIn(ctx);
    if (!account?.admin) {
      seeOther(ctx, '/');
      return undefined;
    }
    const { username, locale: accountLocale } = account;
    const [development, mails] = [deps.isDeveloper(ctx.req), deps.mails.work];
    return pages.show(ctx, 'setup-done', { username, development, mails }, { accountLocale });
  };

  function showForm(ctx: Context, token: string, shown: Partial<SetupLocals>): void {
    const errors = shown.errors ?? {};
    const locals = {
      action: `/setup?token=${encodeURIComponent(token)}`,
      csrf: deps.csrf.token(ctx),
      minLength: deps.config.password.minLength,
      ...shown,
      errors,
    };
    pages.show(ctx, 'setup', locals, { status: Object.keys(errors).length > 0 ? 422 : 200 });
  }

  const favicon = (ctx: Context) => {
    ctx.status = 301;
    ctx.redirect(deps.statics.url('favicon.svg'));
  };

  const staticFile = async (ctx: Context, next: Next) => {
    const file = deps.statics(ctx.path);
    if (!file) return next();
    sendStatic(ctx, file);
    return undefined;
  };

  return pageRoutes('pages/setup', [
    { path: '/', access: 'public', GET: welcome },
    { path: '/setup', access: 'link', GET: openSetup, POST: takeSetup },
    { path: '/setup/done', access: 'session', GET: showDone },
    { path: '/favicon.ico', access: 'public', GET: favicon },
    { path: '/public/:file', access: 'public', GET: staticFile },
  ]);
}

function oneToken(ctx: Context): string {
  return typeof ctx.query.token === 'string' ? ctx.query.token : '';
}
