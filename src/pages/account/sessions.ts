/** Sessions of the person, of browsers and programs in one list, and how to end them. */

import { programOf } from '../../core/kernel/program.ts';
import { callerOf } from '../../http/caller.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { AddressPlace } from '../kit/place.ts';
import { placeOf } from '../kit/place.ts';
import type { AccountDeps } from './deps.ts';
import type { AccountForm } from './visit.ts';
import { notThere, type Show, showPage, type Take, type Visit } from './visit.ts';

export const sessionDoors = ['browser', 'identity', 'security-service', 'tinyoauth'] as const;

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-sessions': AccountForm & {
      readonly sessions: readonly {
        readonly id: string;
        readonly door: string;
        /** Derived from the program's user agent. */
        readonly program?: string | undefined;
        readonly system?: string | undefined;
        readonly address?: string | undefined;
        /** What the address alone shows. */
        readonly place?: AddressPlace | undefined;
        readonly createdAt: number;
        readonly lastSeenAt?: number | undefined;
        readonly here: boolean;
      }[];
      readonly others: boolean;
      readonly older?: string | undefined;
    };
  }
}

const page = '/account/sessions';
const pageSize = 50;

export function createSessionsPage(deps: AccountDeps): { show: Show; end: Take; endOthers: Take } {
  const about = ({ ctx, account }: Visit) => ({ subject: account.subject, caller: callerOf(ctx, 'account') });

  return {
    async show(visit) {
      const { ctx, account, session } = visit;
      const before = cursorOf(ctx.query.before);
      const listed = await deps.sessions.list(account.subject, { limit: pageSize + 1, ...(before && { before }) });
      const shown = listed.slice(0, pageSize);
      const last = shown.at(-1);
      return showPage(deps, visit, 'account-sessions', {
        sessions: shown
          .map(({ uid, origin, createdAt, lastSeenAt }) => ({
            id: uid,
            door: origin.door,
            ...programOf(origin.userAgent),
            address: origin.address ?? undefined,
            place: placeOf(origin.address ?? undefined),
            createdAt,
            lastSeenAt: lastSeenAt ?? undefined,
            here: uid === session.uid,
          }))
          .sort((a, b) => Number(b.here) - Number(a.here)),
        others: before !== undefined || listed.length > 1,
        older: listed.length > pageSize && last ? `${page}?before=${last.createdAt}.${last.uid}` : undefined,
      });
    },

    async end(visit, form) {
      const uid = form.get('session') ?? '';
      // Looks only among the person's own sessions.
      if (uid === '' || !(await deps.sessions.find(uid, visit.account.subject))) {
        return notThere(deps, visit);
      }
      await deps.sessions.end(uid, { event: 'sign_out', ...about(visit), detail: { via: 'account' } });
      return { to: page, note: { notice: 'session-ended' } };
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
