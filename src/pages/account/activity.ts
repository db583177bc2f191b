/** The person's own part of the audit trail, in plain words. */

import { programOf } from '../../core/kernel/program.ts';
import type { StoredAuditEvent } from '../../core/stores/audit.ts';
import { placeOf } from '../kit/place.ts';
import type { AccountDeps } from './deps.ts';
import { type Show, showPage } from './visit.ts';

const pageSize = 50;

export function createActivityPage(deps: AccountDeps): Show {
  async function nameOf({ clientId }: StoredAuditEvent): Promise<string | undefined> {
    if (clientId === null) return undefined;
    const name = (await deps.cached.find(clientId))?.metadata.client_name;
    return typeof name === 'string' ? name : clientId;
  }

  return async (visit) => {
    const { ctx, account } = visit;
    const { before } = ctx.query;
    const from = typeof before === 'string' && /^\d{1,15}$/.test(before) ? { before: Number(before) } : {};
    const found = await deps.stores.audit.list({ subject: account.subject, ...from }, pageSize + 1);
    const shown = found.slice(0, pageSize);
    const events = shown.map(async (event) => {
      const { user_agent: userAgent, by } = event.detail;
      return {
        event: event.event,
        at: Math.floor(event.atMs / 1000),
        client: await nameOf(event),
        ...programOf(typeof userAgent === 'string' ? userAgent : undefined),
        address: event.address ?? undefined,
        place: placeOf(event.address ?? undefined),
        byAdmin: typeof by === 'string' && by !== account.subject,
      };
    });
    return showPage(deps, visit, 'account-activity', {
      events: await Promise.all(events),
      older: found.length > pageSize ? `/account/activity?before=${shown.at(-1)?.id}` : undefined,
    });
  };
}
