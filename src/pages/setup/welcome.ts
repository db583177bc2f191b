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

type SetupField = 'username' | 'first_name' | 'last_name' | 'email' | 'password';
declare module '../kit/views.ts' {
  interface ViewLocals {
    welcome: {
      readonly issuer: string;
      readonly development: boolean;
      readonly account?: { readonly name: string; readonly username: string } | undefined;
      readonly signOut?: string | undefined;
    };
    setup: {
      readonly action: string;
      readonly csrf: string;
      readonly minLength: number;
      readonly username?: string | undefined;
      readonly firstName?: string | undefined;
      readonly lastName?: string | undefined;
      readonly email?: string | undefined;
      readonly errors: Readonly<Partial<Record<SetupField, SetupError>>>;
    };
    'setup-done': {
      readonly username: string;
      readonly development: boolean;
    };
  }
}

type SetupLocals = ViewLocals['setup'];

export function createWelcome(deps: PageDeps): readonly Route[] {
  const { pages, setup } = deps;

  const welcome = async (ctx: Context) => {
    const account = await deps.signedIn(ctx);
    pages.show(
      ctx,
      'welcome',
      {
        issuer: deps.issuer,
        development: deps.isDeveloper(ctx.req),
        account: account && { name: displayName(account), username: account.username },
        signOut: '/oauth/logout',
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
    const typed = {
      username: form.get('username')?.trim() ?? '',
      firstName: form.get('first_name')?.trim() ?? '',
      lastName: form.get('last_name')?.trim() ?? '',
      email: form.get('email')?.trim() ?? '',
    };
    const password = form.get('password') ?? '';
    const outcome = await setup.complete(
      token,
      { ...typed, email: typed.email || undefined, password },
      callerOf(ctx, 'browser'),
    );
    switch (outcome.outcome) {
      case 'created':
        return deps.letIn(ctx, outcome.account, { after: 'setup', page: '/setup/done' });
      case 'gone':
        return pages.show(ctx, 'stale', { setup: true }, { status: 410 });
      case 'taken':
        return showForm(ctx, token, { ...typed, errors: { [outcome.field]: 'taken' } });
      case 'weak-password':
        return showForm(ctx, token, { ...typed, errors: { password: passwordErrors[outcome.reason.code] } });
      case 'invalid':
        return showForm(ctx, token, { ...typed, errors: { [fields[outcome.field]]: nameErrors[outcome.reason] } });
    }
  };

  const showDone = async (ctx: Context) => {
    const account = await deps.signedIn(ctx);
    if (!account?.admin) {
      seeOther(ctx, '/');
      return undefined;
    }
    const { username, locale: accountLocale } = account;
    return pages.show(ctx, 'setup-done', { username, development: deps.isDeveloper(ctx.req) }, { accountLocale });
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

const fields: Record<'username' | 'email' | 'firstName' | 'lastName', SetupField> = {
  username: 'username',
  email: 'email',
  firstName: 'first_name',
  lastName: 'last_name',
};

function oneToken(ctx: Context): string {
  return typeof ctx.query.token === 'string' ? ctx.query.token : '';
}
