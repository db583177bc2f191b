/** Applications that the person registered through a program (POST /client). */
import type { AccountDeps } from './deps.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, notThere, type Show, showPage, type Take } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-applications': AccountForm & {
      readonly applications: readonly {
        readonly id: string;
        readonly name: string;
        readonly redirectUris: readonly string[];
        readonly createdAt: number;
        readonly disabled: boolean;
      }[];
      readonly more?: string | undefined;
    };
  }
}

const page = '/account/applications';
const pageSize = 50;

export function createApplicationsPage(deps: AccountDeps): { show: Show; remove: Take } {
  return {
    async show(visit) {
      const after = typeof visit.ctx.query.after === 'string' ? visit.ctx.query.after : '';
      const found = await deps.stores.clients.listOwned(visit.account.subject, after, pageSize + 1);
      const shown = found.slice(0, pageSize);
      return showPage(deps, visit, 'account-applications', {
        applications: shown.map(({ id, metadata, createdAt, disabledAt }) => ({
          id,
          name: typeof metadata.client_name === 'string' ? metadata.client_name : id,
          redirectUris: Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris.map(String) : [],
          createdAt,
          disabled: disabledAt !== null,
        })),
        more: found.length > pageSize ? `${page}?after=${encodeURIComponent(shown.at(-1)?.id ?? '')}` : undefined,
      });
    },

    async remove(visit, form) {
      const { subject } = visit.account;
      const client = await deps.clients.find(form.get('client') ?? '');
      if (client?.owner !== subject || !(await deps.clients.remove(client.id))) {
        return notThere(deps, visit);
      }
      const caller = callerIn(visit, deps.pages);
      const detail = { via: caller.via };
      await deps.audit.record('client.deleted', { subject, clientId: client.id, caller, detail });
      return { to: page, note: { notice: 'application-deleted' } };
    },
  };
}
