/** The paths of the sign-up page, without and with an invitation. */

import type { Context } from 'koa';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { readCheckedForm } from '../kit/csrf.ts';
import type { PageDeps } from '../kit/deps.ts';
import { oneOf } from '../kit/request.ts';
import type { SignUpAbout, SignUpPage } from './sign-up.ts';

export function signUpRoutes(deps: PageDeps, page: SignUpPage): readonly Route[] {
  const { pages } = deps;

  async function take(ctx: Context, about: SignUpAbout): Promise<void> {
    const form = await readCheckedForm(deps, ctx);
    if (!form) return undefined;
    const account = await page.take(ctx, form, about);
    if (!account) return undefined;
    return deps.letIn(ctx, account, {
      after: about.invitation ? 'invitation' : 'sign-up',
      page: `/sign-up?done=${account.email === null && deps.mails.work ? 'mail' : 'yes'}`,
    });
  }

  const show = (ctx: Context) => {
    const done = oneOf(ctx, 'done');
    if (done === undefined) return page.show(ctx, { action: '/sign-up' });
    const kind = done === 'mail' ? 'signed-up-mail' : 'signed-up';
    return pages.show(ctx, 'notice', { kind, go: { to: '/account', as: 'account' } });
  };

  async function invited(ctx: Context): Promise<SignUpAbout | undefined> {
    const token = oneOf(ctx, 'token') ?? '';
    const invitation = await deps.invitations.look(token);
    if (invitation)
      return { action: `/invite?token=${encodeURIComponent(token)}`, invitation: { ...invitation, token } };
    pages.show(ctx, 'notice', { kind: 'invitation-gone', go: { to: '/', as: 'home' } }, { status: 410 });
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
    { path: '/sign-up', access: 'public', GET: show, POST: (ctx) => take(ctx, { action: '/sign-up' }) },
    { path: '/invite', access: 'link', GET: showInvited, POST: takeInvited },
  ]);
}
