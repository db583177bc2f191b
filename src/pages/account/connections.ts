/** Applications with the person's consent: what each may do, since when, and how to end it (security.md B16). */
import { oneOf } from '../kit/request.ts';
import type { AccountDeps } from './deps.ts';
import { backTo, fromField } from './kit/asking.ts';
import { clientNames } from './kit/client-names.ts';
import { type ConnectionView, connectionsPage, connectionView } from './kit/connection-view.ts';
import type { AccountLocals } from './visit.ts';
import { callerIn, notThere, type Show, showPage, type Take } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-connections': AccountLocals & {
      readonly connections: readonly ConnectionView[];
      readonly more?: string | undefined;
    };
  }
}

export const connectionsShown = 7;

export function createConnectionsPage(deps: AccountDeps): { show: Show; ask: Show; end: Take } {
  const nameOf = clientNames(deps);

  return {
    async show(visit) {
      const found = await deps.connections.list(visit.account.subject);
      const after = oneOf(visit.ctx, 'after');
      // One that is not there any more leads to the beginning.
      const start = found.findIndex(({ clientId }) => clientId === after) + 1;
      const shown = found.slice(start, start + connectionsShown);
      const last = found.length > start + connectionsShown ? shown.at(-1) : undefined;
      return showPage(deps, visit, 'account-connections', {
        connections: await Promise.all(shown.map((each) => connectionView(deps, each))),
        more: last && `${connectionsPage}?after=${encodeURIComponent(last.clientId)}`,
      });
    },

    async ask(visit) {
      const id = oneOf(visit.ctx, 'client');
      const found = await deps.connections.list(visit.account.subject);
      if (id === undefined || !found.some(({ clientId }) => clientId === id)) return notThere(deps, visit);
      const from = oneOf(visit.ctx, 'from');
      return showPage(deps, visit, 'account-confirm', {
        asks: 'connection',
        section: 'connections',
        name: await nameOf(id),
        action: `${connectionsPage}/end`,
        fields: [{ name: 'client', value: id }, ...fromField(from)],
        back: backTo(connectionsPage, from),
      });
    },

    async end(visit, form) {
      const caller = callerIn(visit, deps.pages);
      if (!(await deps.connections.end(visit.account.subject, form.get('client') ?? '', caller))) {
        return notThere(deps, visit);
      }
      return { to: backTo(connectionsPage, form.get('from')), note: { notice: 'connection-ended' } };
    },
  };
}
