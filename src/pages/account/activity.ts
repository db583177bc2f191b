/** The person's own audit records, in plain words. */

import { programOf } from '../../core/kernel/program.ts';
import type { StoredAuditEvent } from '../../core/stores/audit.ts';
import type { AddressPlace } from '../kit/place.ts';
import { placeOf } from '../kit/place.ts';
import type { AccountDeps } from './deps.ts';
import type { AccountLocals } from './visit.ts';
import { type Show, showPage } from './visit.ts';

/** Audit events about a person; each has a text on the page. */
export const activityEvents = [
  'sign_in.succeeded',
  'sign_in.challenged',
  'sign_in.failed',
  'sign_in.throttled',
  'sign_out',
  'session.ended',
  'session.replayed',
  'consent.granted',
  'consent.by_policy',
  'consent.denied',
  'consent.revoked',
  'account.created',
  'account.disabled',
  'account.enabled',
  'account.deleted',
  'account.password_changed',
  'account.profile_changed',
  'account.email_confirmed',
  'account.email_changed',
  'account.renamed',
  'account.updated',
  'account.promoted',
  'account.demoted',
  'email.requested',
  'reset.requested',
  'reset.link_made',
  'invitation.used',
  'mail.failed',
  'factor.added',
  'factor.removed',
  'factor.renamed',
  'email_code.sent',
  'recovery_codes.made',
  'recovery_codes.saved',
  'recovery_code.used',
  'group.joined',
  'group.left',
  'device_code.approved',
  'device_code.denied',
  'device_code.throttled',
  'delivery.failed',
  'device.remembered',
  'device.forgotten',
  'device.reported',
  'identity.linked',
  'identity.unlinked',
  'client.registered',
  'client.deleted',
  'grant.replayed',
  'grant.shared',
  'setup.completed',
] as const;

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-activity': AccountLocals & {
      readonly events: readonly {
        readonly event: string;
        readonly at: number;
        readonly client?: string | undefined;
        readonly program?: string | undefined;
        readonly system?: string | undefined;
        readonly address?: string | undefined;
        readonly place?: AddressPlace | undefined;
        readonly byAdmin: boolean;
      }[];
      readonly older?: string | undefined;
    };
  }
}

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
