/** The person's own audit records, in plain words, by day. */
import { nowSeconds } from '../../base/clock.ts';
import type { AccountDeps } from './deps.ts';
import { clientNames } from './kit/client-names.ts';
import { byDay, type Day } from './kit/days.ts';
import { type EventView, eventView } from './kit/event-view.ts';
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
      readonly days: readonly Day<EventView>[];
      readonly older?: string | undefined;
      /** Not the first page. */
      readonly from?: boolean | undefined;
    };
  }
}

export const eventsShown = 20;

export function createActivityPage(deps: AccountDeps): Show {
  const nameOf = clientNames(deps);

  return async (visit) => {
    const { ctx, account } = visit;
    const { before } = ctx.query;
    const from = typeof before === 'string' && /^\d{1,15}$/.test(before) ? { before: Number(before) } : {};
    const found = await deps.stores.audit.list({ subject: account.subject, ...from }, eventsShown + 1);
    const shown = found.slice(0, eventsShown);
    const events = await Promise.all(shown.map((event) => eventView(event, nameOf)));
    return showPage(deps, visit, 'account-activity', {
      days: byDay(events, nowSeconds()),
      older: found.length > eventsShown ? `/account/activity?before=${shown.at(-1)?.id}` : undefined,
      from: 'before' in from,
    });
  };
}
