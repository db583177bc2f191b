/**
 * The paths of the sign-up page, without and with an invitation, and what follows: the account pages, or a page that
 * asks the person to confirm the address. The latter is shown in this browser again and again, so it may send the link
 * once more.
 */

import type { Context } from 'koa';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import { readCheckedForm } from '../kit/csrf.ts';
import type { PageDeps } from '../kit/deps.ts';
import type { AskedHere } from '../kit/mail/asked-here.ts';
import { oneOf } from '../kit/request.ts';
import type { ClientView } from '../kit/view-parts.ts';
import type { SignUpAbout, SignUpPage } from './sign-up.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'mail-sent': {
      /** What the mailed link does: confirm the address of a new account, or set a new password. */
      readonly about: 'address' | 'password';
      readonly client?: ClientView | undefined;
      /** Where the mail went. Only the person who typed it in this browser is told. */
      readonly email?: string | undefined;
      /** How long the link is valid. */
      readonly seconds?: number | undefined;
      readonly resend?: { readonly action: string; readonly csrf: string } | undefined;
      /** The link was sent once more. */
      readonly again?: boolean | undefined;
      readonly problem?: 'throttled' | undefined;
      readonly retryAfterSeconds?: number | undefined;
      /** The page to enter another address, or the name again. */
      readonly change?: string | undefined;
      readonly go?: { readonly to: string; readonly as: 'signIn' | 'account' } | undefined;
    };
  }
}

export interface RegistrationDeps extends PageDeps {
  readonly askedHere: AskedHere;
  /** Leaves a notice for the account pages that the account is ready. */
  readonly noteReady: (ctx: Context, subject: string) => void;
  /** The address that a new account waits to have confirmed, kept in this browser for some minutes. */
  readonly waiting: {
    keep(ctx: Context, subject: string, email: string): void;
    read(ctx: Context, subject: string): string | undefined;
  };
}

const signIn = '/account';
const own: SignUpAbout = { action: '/sign-up', signIn };

export function signUpRoutes(deps: RegistrationDeps, page: SignUpPage): readonly Route[] {
  const { pages } = deps;

  async function take(ctx: Context, about: SignUpAbout): Promise<void> {
    const form = await readCheckedForm(deps, ctx);
    if (!form) return undefined;
    const account = await page.take(ctx, form, about);
    if (!account) return undefined;
    const mailed = account.email === null && deps.mails.work;
    if (mailed) deps.waiting.keep(ctx, account.subject, form.get('email')?.trim() ?? '');
    else deps.noteReady(ctx, account.subject);
    return deps.letIn(ctx, account, {
      after: about.invitation ? 'invitation' : 'sign-up',
      page: mailed ? '/sign-up?done=mail' : '/account',
    });
  }

  /** An account that has an address gets another one only on the account pages, after a fresh sign-in. */
  const waitingFor = (ctx: Context, account: Account | undefined): string | undefined =>
    account?.email === null ? deps.waiting.read(ctx, account.subject) : undefined;

  async function showSent(ctx: Context, retryAfterSeconds?: number): Promise<void> {
    const account = await deps.signedIn(ctx);
    const email = waitingFor(ctx, account);
    pages.show(
      ctx,
      'mail-sent',
      {
        about: 'address',
        email,
        resend: email === undefined ? undefined : { action: '/sign-up/again', csrf: deps.csrf.token(ctx) },
        change: '/account/email',
        go: { to: '/account', as: 'account' },
        ...(retryAfterSeconds === undefined
          ? { again: oneOf(ctx, 'done') === 'again' }
          : { problem: 'throttled', retryAfterSeconds }),
      },
      { status: retryAfterSeconds === undefined ? 200 : 429, accountLocale: account?.locale },
    );
  }

  const show = async (ctx: Context) => {
    if (oneOf(ctx, 'done') === undefined) page.show(ctx, own);
    else await showSent(ctx);
  };

  /** Only to the address that this browser has named for the account that is signed in. */
  const sendAgain = async (ctx: Context) => {
    if (!(await readCheckedForm(deps, ctx))) return undefined;
    const account = await deps.signedIn(ctx);
    const email = waitingFor(ctx, account);
    if (account === undefined || email === undefined) return seeOther(ctx, '/account/email');
    const locale = pages.localeOf(ctx, undefined, account.locale);
    const caller = { ...callerOf(ctx, 'browser'), browser: browserOf(ctx), locale };
    const asked = await deps.emails.requestChange(account.subject, email, caller, { signedIn: true });
    if (asked.outcome === 'throttled') return showSent(ctx, asked.retryAfter);
    if (asked.outcome !== 'asked') return seeOther(ctx, '/account/email');
    deps.askedHere.keep(ctx, account.subject, email);
    return seeOther(ctx, '/sign-up?done=again');
  };

  async function invited(ctx: Context): Promise<SignUpAbout | undefined> {
    const token = oneOf(ctx, 'token') ?? '';
    const invitation = await deps.invitations.look(token);
    if (invitation)
      return { action: `/invite?token=${encodeURIComponent(token)}`, invitation: { ...invitation, token }, signIn };
    pages.show(ctx, 'notice', { kind: 'invitation-gone', go: { to: signIn, as: 'signIn' } }, { status: 410 });
    return undefined;
  }

  const showInvited = async (ctx: Context) => {
    const about = await invited(ctx);
    if (about) page.show(ctx, about);
  };
  const takeInvited = async (ctx: Context) => {
    const about = await invited(ctx);
    if (about) await take(ctx, about);
  };

  return pageRoutes('pages/registration', [
    { path: '/sign-up', access: 'public', GET: show, POST: (ctx) => take(ctx, own) },
    { path: '/sign-up/again', access: 'session', POST: sendAgain },
    { path: '/invite', access: 'link', GET: showInvited, POST: takeInvited },
  ]);
}
