/**
 * The account pages. They are for the person who is signed in in this browser and show only that person's data: an id
 * in a form that is not theirs is not found (404).
 *
 *   GET  page -> session? -> fresh, and with both factors, if required? -> the page
 *   POST form -> CSRF token -> session? -> fresh? both? -> done, 303 to the page that reports it
 *
 * Without a sufficient session: 303 to the authorization endpoint (sign-in-address.ts), then /account/callback, then
 * the page. The callback redirects only to pages in the table below, so it is no open redirect.
 */
import type { Context } from 'koa';
import { accountCallback } from '../../core/clients/account-client.ts';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { readCheckedForm } from '../kit/csrf.ts';
import { createActivityPage } from './activity.ts';
import { createApplicationsPage } from './applications.ts';
import { createConnectionsPage } from './connections.ts';
import { createDataPage } from './data.ts';
import { createDeletionPage } from './deletion.ts';
import type { AccountDeps } from './deps.ts';
import { createEmailPage } from './email.ts';
import type { Note } from './flash-messages.ts';
import { createOverview } from './overview.ts';
import { createProfilePage } from './profile.ts';
import { guarded, type Row } from './row.ts';
import { securityRows } from './security/rows.ts';
import { createSessionsPage } from './sessions.ts';
import { isFresh, lacksFactor, signInAddress } from './sign-in-address.ts';
import type { Onward, Show, Take, Visit } from './visit.ts';
import { wellKnownPages } from './well-known.ts';

export function createAccountPages(deps: AccountDeps): readonly Route[] {
  const { pages, issuer, flashMessages } = deps;
  const email = createEmailPage(deps);
  const profile = createProfilePage(deps);
  const sessions = createSessionsPage(deps);
  const connections = createConnectionsPage(deps);
  const applications = createApplicationsPage(deps);
  const data = createDataPage(deps);
  const deletion = createDeletionPage(deps);

  const [own, allowed] = ['/account/applications', '/account/connections'];
  const table: readonly Row[] = [
    { path: '/account', show: createOverview(deps) },
    { path: '/account/profile', show: profile.show, take: profile.take },
    { path: '/account/email', show: email.show, take: email.take, ...guarded, keep: email.keep },
    ...securityRows(deps),
    { path: '/account/sessions', show: sessions.show },
    // GET asks, POST does it.
    { path: '/account/sessions/end', show: sessions.ask, take: sessions.end, page: '/account/sessions' },
    {
      path: '/account/sessions/end-others',
      show: sessions.askOthers,
      take: sessions.endOthers,
      page: '/account/sessions',
    },
    { path: allowed, show: connections.show },
    { path: `${allowed}/end`, show: connections.ask, take: connections.end, page: allowed },
    { path: own, show: applications.show },
    { path: `${own}/delete`, show: applications.ask, take: applications.remove, page: own },
    { path: '/account/activity', show: createActivityPage(deps) },
    { path: '/account/data', show: data.show },
    { path: '/account/data/export', show: data.download, page: '/account/data' },
    { path: '/account/delete', show: deletion.show, take: deletion.take, ...guarded },
  ];
  // Pages outside of this folder (pages/registration, pages/setup) that send people to sign in and come back.
  const beside = ['/verify-email', '/verify-email?done=yes', '/sign-up?done=mail', '/setup/done'];
  const landings = new Set([...table.map(({ path, page = path }) => page), ...beside]);
  const abouts = new Set(table.flatMap(({ path, about }) => (about === undefined ? [] : [`${path}?${about}`])));

  /** A page of the table, or one with an id that it is about: nothing else, whatever a link says. */
  const isLanding = (to: string): boolean =>
    landings.has(to) || abouts.has(/^([^=]+)=[\w-]{1,64}$/.exec(to)?.[1] ?? '');

  function landingOf(ctx: Context, { path, page = path, about }: Row): string {
    const asked = about === undefined ? '' : `${path}?${about}=${String(ctx.query[about])}`;
    return isLanding(asked) ? asked : page;
  }

  /** Returns undefined if the browser was sent to sign in. `note`: kept until it comes back. */
  async function enter(ctx: Context, row: Row, note?: Note): Promise<Visit | undefined> {
    const session = await deps.session(ctx);
    const wanted = session && {
      of: session,
      fresh: row.fresh === true && !isFresh(session),
      factor: row.factor === true && (await lacksFactor(session, deps.factors)),
    };
    if (session && !wanted?.fresh && !wanted?.factor) {
      deps.activity.seen(session.account.subject, session.uid);
      return { ctx, account: session.account, session, note: flashMessages.read(ctx, session.account.subject) };
    }
    if (session && note) {
      const { subject } = session.account;
      flashMessages.write(ctx, subject, { ...codesOf(flashMessages.read(ctx, subject)), ...note });
    }
    seeOther(ctx, signInAddress(issuer, landingOf(ctx, row), wanted));
    return undefined;
  }

  /** Leaves the next page its message, and the codes that no page has shown. */
  function leave(row: Row, { ctx, account, note }: Visit, next: Note = {}): void {
    const left = { ...(row.codes ? {} : codesOf(note)), ...next };
    if (Object.keys(left).length > 0) flashMessages.write(ctx, account.subject, left);
    else flashMessages.clear(ctx);
  }

  function goOn(row: Row, visit: Visit, { to, note }: Onward): void {
    leave(row, visit, note);
    seeOther(visit.ctx, to);
  }

  const showing = (row: Row, show: Show) => async (ctx: Context) => {
    const visit = await enter(ctx, row);
    if (!visit) return;
    const onward = await show(visit);
    if (onward) goOn(row, visit, onward);
    // Flash messages are shown once, and HEAD shows none. An enrolment stays until it is confirmed.
    else if (ctx.method === 'GET' && !visit.note.enrolment && !visit.note.identity) leave(row, visit);
  };

  const taking = (row: Row, take: Take) => async (ctx: Context) => {
    const form = await readCheckedForm(deps, ctx);
    if (!form) return undefined;
    const visit = await enter(ctx, row, row.keep?.(form));
    const onward = visit && (await take({ ...visit, note: withoutNotice(visit.note) }, form));
    if (onward) goOn(row, visit, onward);
    return undefined;
  };

  const callback = (ctx: Context) => {
    const { state, error } = ctx.query;
    // A person who cancels the sign-in is not sent there again.
    if (error !== undefined) return seeOther(ctx, '/');
    return seeOther(ctx, typeof state === 'string' && isLanding(state) ? state : '/account');
  };

  return pageRoutes('pages/account', [
    ...table.map((row) => {
      const { path, show, take } = row;
      return { path, access: 'session', GET: show && showing(row, show), POST: take && taking(row, take) } as const;
    }),
    { path: accountCallback, access: 'public', GET: callback },
    { path: '/account/deleted', access: 'public', GET: (ctx) => pages.show(ctx, 'account-deleted', {}) },
  ]).concat(wellKnownPages(deps));
}

const codesOf = ({ codes }: Note): Note => (codes ? { codes } : {});

function withoutNotice({ notice: _notice, ...note }: Note): Note {
  return note;
}
