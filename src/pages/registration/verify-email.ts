/**
 * Confirms an e-mail address, through the mailed link. In the browser that has named the address, opening the link is
 * enough. Elsewhere it changes nothing, because mail scanners do that. There the button does, for a person who is
 * signed in to the account or gives its password, so that a wrong recipient cannot confirm. A person without a password
 * (a passkey, an account elsewhere) signs in and comes back.
 */
import type { Context } from 'koa';

import type { PendingEmail } from '../../core/accounts/emails.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import { readCheckedForm } from '../kit/csrf.ts';
import type { PageDeps } from '../kit/deps.ts';
import { busySeconds } from '../kit/form.ts';
import type { AskedHere } from '../kit/mail/asked-here.ts';
import { oneOf } from '../kit/request.ts';

export const confirmErrors = ['missing', 'wrong', 'throttled', 'busy'] as const;
type ConfirmError = (typeof confirmErrors)[number];

declare module '../kit/views.ts' {
  interface ViewLocals {
    'verify-email': {
      readonly action: string;
      readonly csrf: string;
      readonly email: string;
      readonly username: string;
      /** This person is not signed in in this browser. */
      readonly askPassword: boolean;
      /** For a person without a password: another sign-in that leads back here. */
      readonly signIn: string;
      readonly error?: ConfirmError | undefined;
      readonly retryAfterSeconds?: number | undefined;
    };
  }
}

/** The time that a sign-in may take. */
const waitMs = 3_600_000;

const statuses: Record<ConfirmError, number> = { missing: 422, wrong: 422, throttled: 429, busy: 503 };

export function verifyEmailRoutes(deps: PageDeps & { readonly askedHere: AskedHere }): readonly Route[] {
  const { pages, csrf, emails } = deps;
  // Keeps the link's value during a sign-in, so that it is in no other address.
  const cookie = deps.secure ? '__Host-gatehouse-confirm' : 'gatehouse-confirm';
  const cookieOptions = { httpOnly: true, sameSite: 'lax', secure: deps.secure, path: '/', overwrite: true } as const;

  async function show(
    ctx: Context,
    token: string,
    { account, email }: PendingEmail,
    shown: { error?: ConfirmError; retryAfterSeconds?: number } = {},
  ): Promise<void> {
    const askPassword = (await deps.signedIn(ctx))?.subject !== account.subject;
    pages.show(
      ctx,
      'verify-email',
      {
        action: `/verify-email?token=${encodeURIComponent(token)}`,
        csrf: csrf.token(ctx),
        email,
        username: account.username,
        askPassword,
        signIn: `/verify-email/sign-in?token=${encodeURIComponent(token)}`,
        ...shown,
      },
      { status: shown.error ? statuses[shown.error] : 200, accountLocale: account.locale },
    );
  }

  const gone = (ctx: Context): void =>
    pages.show(ctx, 'notice', { kind: 'email-gone', go: { to: '/account/email', as: 'again' } }, { status: 410 });

  /** Needs no second factor: the mail proves the address, and the password proves the account. */
  async function prove(
    ctx: Context,
    account: Account,
    password: string,
  ): Promise<{ error: ConfirmError; retryAfterSeconds?: number } | { gave?: Account }> {
    if ((await deps.signedIn(ctx))?.subject === account.subject) return {};
    if (password === '') return { error: 'missing' };
    try {
      const { username } = account;
      const outcome = await deps.signIn.provePassword({
        ...callerOf(ctx, 'verify-email'),
        username,
        password,
        browser: browserOf(ctx),
      });
      switch (outcome.outcome) {
        case 'right':
          return { gave: outcome.account };
        case 'refused':
          return { error: 'wrong' };
        case 'throttled':
          return { error: 'throttled', retryAfterSeconds: outcome.retryAfter };
      }
    } catch (error) {
      return { error: 'busy', retryAfterSeconds: busySeconds(error) };
    }
  }

  /** A browser that another account is signed in to asks first. */
  async function isOpenedHere(ctx: Context, pending: PendingEmail): Promise<boolean> {
    if (!isVisit(ctx) || !deps.askedHere.holds(ctx, pending)) return false;
    const account = await deps.signedIn(ctx);
    return account === undefined || account.subject === pending.account.subject;
  }

  /** `gave`: the account, if its password was given. */
  async function use(ctx: Context, token: string, gave?: Account): Promise<void> {
    const caller = { ...callerOf(ctx, 'verify-email'), locale: pages.localeOf(ctx) };
    const outcome = await emails.confirm(token, caller);
    switch (outcome.outcome) {
      case 'confirmed':
        if (ctx.cookies.get(cookie) !== undefined) ctx.cookies.set(cookie, null, cookieOptions);
        deps.askedHere.clear(ctx);
        // An account with a second factor must give it, so the person first sees that the address is confirmed.
        if (gave === undefined || gave.twoFactor) return seeOther(ctx, '/verify-email?done=yes');
        return deps.letIn(ctx, gave, { after: 'verify-email', page: '/verify-email?done=yes' });
      case 'taken':
        return pages.show(
          ctx,
          'notice',
          { kind: 'email-taken', go: { to: '/account', as: 'account' } },
          { status: 409 },
        );
      case 'gone':
        return gone(ctx);
    }
  }

  const open = async (ctx: Context) => {
    if (oneOf(ctx, 'done') !== undefined)
      return pages.show(ctx, 'notice', { kind: 'email-confirmed', go: { to: '/account', as: 'account' } });
    const token = oneOf(ctx, 'token') ?? ctx.cookies.get(cookie) ?? '';
    const pending = await emails.look(token);
    if (!pending) return gone(ctx);
    return (await isOpenedHere(ctx, pending)) ? use(ctx, token) : show(ctx, token, pending);
  };

  const goToSignIn = async (ctx: Context) => {
    const token = oneOf(ctx, 'token') ?? '';
    const pending = await emails.look(token);
    if (!pending) return gone(ctx);
    ctx.cookies.set(cookie, token, { ...cookieOptions, maxAge: waitMs });
    // If another person is signed in here, they would come back to the same question.
    const login = new URLSearchParams({ prompt: 'login', login_hint: pending.account.username });
    return seeOther(ctx, `${deps.signInAt('/verify-email')}&${login}`);
  };

  const confirm = async (ctx: Context) => {
    const token = oneOf(ctx, 'token') ?? '';
    const form = await readCheckedForm(deps, ctx);
    if (!form) return undefined;
    const pending = await emails.look(token);
    if (!pending) return gone(ctx);
    const proved = await prove(ctx, pending.account, form.get('password') ?? '');
    if ('error' in proved) return show(ctx, token, pending, proved);
    return use(ctx, token, proved.gave);
  };

  return pageRoutes('pages/registration', [
    { path: '/verify-email', access: 'link', GET: open, POST: confirm },
    { path: '/verify-email/sign-in', access: 'link', GET: goToSignIn },
  ]);
}

/** A person opens the page: not HEAD, not a browser that fetches it in advance, and not a part of another page. */
function isVisit(ctx: Context): boolean {
  const isEarly = ['sec-purpose', 'purpose', 'x-moz'].some((name) => ctx.get(name) !== '');
  return ctx.method === 'GET' && !isEarly && ['', 'document'].includes(ctx.get('sec-fetch-dest'));
}
