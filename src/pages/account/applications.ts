/** Applications that the person registered through a program (POST /client). */
import type { ClientRecord } from '../../core/stores/clients.ts';
import { clientView } from '../kit/interaction/client-view.ts';
import { oneOf } from '../kit/request.ts';
import type { ClientView } from '../kit/view-parts.ts';
import type { AccountDeps } from './deps.ts';
import { asking } from './kit/asking.ts';
import type { AccountLocals } from './visit.ts';
import { callerIn, notThere, type Show, showPage, type Take } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-applications': AccountLocals & {
      readonly applications: readonly {
        readonly id: string;
        readonly client: ClientView;
        readonly redirectUris: readonly string[];
        readonly createdAt: number;
        readonly disabled: boolean;
        /** The page that asks whether to delete it. */
        readonly end: string;
      }[];
      readonly more?: string | undefined;
    };
  }
}

const page = '/account/applications';
const pageSize = 15;

export function createApplicationsPage(deps: AccountDeps): { show: Show; ask: Show; remove: Take } {
  /** Only the person's own. */
  async function find(id: string | undefined, subject: string): Promise<ClientRecord | undefined> {
    const client = await deps.clients.find(id ?? '');
    return client?.owner === subject ? client : undefined;
  }

  return {
    async show(visit) {
      const after = typeof visit.ctx.query.after === 'string' ? visit.ctx.query.after : '';
      const found = await deps.stores.clients.listOwned(visit.account.subject, after, pageSize + 1);
      const shown = found.slice(0, pageSize);
      return showPage(deps, visit, 'account-applications', {
        applications: shown.map((client) => ({
          id: client.id,
          client: clientView(client) ?? { name: client.id },
          redirectUris: Array.isArray(client.metadata.redirect_uris) ? client.metadata.redirect_uris.map(String) : [],
          createdAt: client.createdAt,
          disabled: client.disabledAt !== null,
          end: asking(`${page}/delete`, { client: client.id }),
        })),
        more: found.length > pageSize ? `${page}?after=${encodeURIComponent(shown.at(-1)?.id ?? '')}` : undefined,
      });
    },

    async ask(visit) {
      const client = await find(oneOf(visit.ctx, 'client'), visit.account.subject);
      if (!client) return notThere(deps, visit);
      return showPage(deps, visit, 'account-confirm', {
        asks: 'application',
        section: 'applications',
        name: clientView(client)?.name ?? client.id,
        action: `${page}/delete`,
        fields: [{ name: 'client', value: client.id }],
        back: page,
      });
    },

    async remove(visit, form) {
      const { subject } = visit.account;
      const client = await find(form.get('client'), subject);
      if (!client || !(await deps.clients.remove(client.id))) return notThere(deps, visit);
      const caller = callerIn(visit, deps.pages);
      const detail = { via: caller.via };
      await deps.audit.record('client.deleted', { subject, clientId: client.id, caller, detail });
      return { to: page, note: { notice: 'application-deleted' } };
    },
  };
}
