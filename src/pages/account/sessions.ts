/** Sessions of the person, of browsers and programs in one list, and how to end them. */
import { programOf } from '../../core/kernel/program.ts';
import { callerOf } from '../../http/caller.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import { oneOf } from '../kit/request.ts';
import type { AccountDeps } from './deps.ts';
import { backTo, fromField } from './kit/asking.ts';
import { byUse, sessionsPage as page, type SessionView, sessionView } from './kit/session-view.ts';
import type { AccountLocals } from './visit.ts';
import { notThere, type Show, showPage, type Take, type Visit } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-sessions': AccountLocals & {
      readonly sessions: readonly SessionView[];
      /** There are sessions besides the one of this browser. */
      readonly others: boolean;
      readonly older?: string | undefined;
    };
  }
}

/** As many as keep the page under 30,000 bytes (docs/pages.md); the same for the other lists of the account. */
export const sessionsShown = 15;
/** As many as one call lists; beyond it the page that asks says "all". */
const countMax = 1000;

interface SessionsPage {
  readonly show: Show;
  readonly ask: Show;
  readonly end: Take;
  readonly askOthers: Show;
  readonly endOthers: Take;
}

export function createSessionsPage(deps: AccountDeps): SessionsPage {
  const about = ({ ctx, account }: Visit) => ({ subject: account.subject, caller: callerOf(ctx, 'account') });
  /** Looks only among the person's own sessions. */
  const find = (uid: string | undefined, { account }: Visit) =>
    uid ? deps.sessions.find(uid, account.subject) : undefined;

  return {
    async show(visit) {
      const { ctx, account, session } = visit;
      const before = cursorOf(ctx.query.before);
      const listed = await deps.sessions.list(account.subject, { limit: sessionsShown + 1, ...(before && { before }) });
      const shown = listed.slice(0, sessionsShown);
      const last = shown.at(-1);
      return showPage(deps, visit, 'account-sessions', {
        sessions: shown.map((each) => sessionView(each, session.uid)).sort(byUse),
        others: before !== undefined || listed.length > 1,
        older: listed.length > sessionsShown && last ? `${page}?before=${last.createdAt}.${last.uid}` : undefined,
      });
    },

    async ask(visit) {
      const [uid, from] = [oneOf(visit.ctx, 'session'), oneOf(visit.ctx, 'from')];
      const found = await find(uid, visit);
      if (uid === undefined || !found) return notThere(deps, visit);
      const { door, userAgent } = found.origin;
      return showPage(deps, visit, 'account-confirm', {
        asks: 'session',
        section: 'sessions',
        device: { door, ...programOf(userAgent) },
        action: `${page}/end`,
        fields: [{ name: 'session', value: uid }, ...fromField(from)],
        back: backTo(page, from),
      });
    },

    async end(visit, form) {
      const uid = form.get('session') ?? '';
      if (!(await find(uid, visit))) return notThere(deps, visit);
      await deps.sessions.end(uid, { event: 'sign_out', ...about(visit), detail: { via: 'account' } });
      return { to: backTo(page, form.get('from')), note: { notice: 'session-ended' } };
    },

    async askOthers(visit) {
      const listed = await deps.sessions.list(visit.account.subject, { limit: countMax });
      const count = listed.filter(({ uid }) => uid !== visit.session.uid).length;
      // Nothing is left to end, in another tab for example.
      if (count === 0) return { to: page };
      return showPage(deps, visit, 'account-confirm', {
        asks: 'sessions',
        section: 'sessions',
        count: listed.length < countMax ? count : undefined,
        action: `${page}/end-others`,
        fields: [],
        back: page,
      });
    },

    async endOthers(visit) {
      const { subject } = visit.account;
      await deps.sessions.endAll(subject, visit.session.uid);
      // Other browsers are unknown from now on: their sign-ins cause a mail, and their guesses count for the account.
      await deps.knownBrowsers.forgetOthers(subject, browserOf(visit.ctx));
      await deps.audit.record('sign_out', { ...about(visit), detail: { via: 'account', all: true } });
      return { to: page, note: { notice: 'sessions-ended' } };
    },
  };
}

function cursorOf(value: unknown): { createdAt: number; uid: string } | undefined {
  const [, createdAt, uid] = /^(\d{1,12})\.([A-Za-z0-9_-]{1,64})$/.exec(typeof value === 'string' ? value : '') ?? [];
  return createdAt === undefined || uid === undefined ? undefined : { createdAt: Number(createdAt), uid };
}
