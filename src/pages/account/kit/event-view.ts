/** An audit record as the account pages show it: calm if it is ordinary, and marked if the person should look. */
import { programOf } from '../../../core/kernel/program.ts';
import type { StoredAuditEvent } from '../../../core/stores/audit.ts';
import { type AddressPlace, placeOf } from '../../kit/place.ts';

export interface EventView {
  readonly event: string;
  readonly icon: string;
  /** Absent if the event is ordinary. */
  readonly tone?: 'good' | 'warn' | 'bad' | undefined;
  readonly at: number;
  readonly client?: string | undefined;
  readonly program?: string | undefined;
  readonly system?: string | undefined;
  readonly address?: string | undefined;
  readonly place?: AddressPlace | undefined;
  readonly byAdmin: boolean;
}

/** `nameOf`: the name of the client. */
export async function eventView(
  { event, atMs, subject, clientId, address, detail }: StoredAuditEvent,
  nameOf: (clientId: string) => Promise<string>,
): Promise<EventView> {
  const { user_agent: userAgent, by } = detail;
  return {
    ...lookOf(event),
    at: Math.floor(atMs / 1000),
    client: clientId === null ? undefined : await nameOf(clientId),
    ...programOf(typeof userAgent === 'string' ? userAgent : undefined),
    address: address ?? undefined,
    place: placeOf(address ?? undefined),
    byAdmin: typeof by === 'string' && by !== subject,
  };
}

export function lookOf(event: string): Pick<EventView, 'event' | 'icon' | 'tone'> {
  const [group = ''] = event.split('.');
  const [icon, tone] = looks[event] ?? [icons[group] ?? 'activity'];
  return { event, icon, tone };
}

/** By the first part of the event's name. */
const icons: Readonly<Record<string, string>> = {
  sign_in: 'check',
  sign_out: 'sign-out',
  session: 'sign-out',
  consent: 'app',
  account: 'person',
  email: 'mail',
  email_code: 'mail',
  mail: 'mail',
  invitation: 'mail',
  reset: 'key',
  recovery_codes: 'key',
  recovery_code: 'key',
  factor: 'shield',
  group: 'people',
  device_code: 'phone',
  device: 'computer',
  identity: 'link',
  client: 'app',
  delivery: 'app',
  grant: 'shield-alert',
  setup: 'settings',
};

/** Events that need another icon, or a look. */
const looks: Readonly<Record<string, readonly [string, EventView['tone']?]>> = {
  'sign_in.challenged': ['shield'],
  'sign_in.failed': ['alert', 'warn'],
  'sign_in.throttled': ['warning', 'bad'],
  'session.replayed': ['shield-alert', 'bad'],
  'grant.replayed': ['shield-alert', 'bad'],
  'grant.shared': ['shield-alert', 'warn'],
  'device.reported': ['computer', 'warn'],
  'device_code.throttled': ['warning', 'warn'],
  'account.password_changed': ['lock', 'warn'],
  'account.email_changed': ['mail', 'warn'],
  'account.email_confirmed': ['mail', 'good'],
  'account.disabled': ['lock', 'bad'],
  'account.renamed': ['edit', 'warn'],
  'account.profile_changed': ['edit'],
  'account.created': ['user-add'],
  'account.promoted': ['shield', 'warn'],
  'reset.link_made': ['key', 'warn'],
  'mail.failed': ['mail', 'warn'],
  'factor.added': ['shield-check', 'good'],
  'factor.removed': ['shield-alert', 'warn'],
  'factor.renamed': ['edit'],
  'recovery_codes.made': ['key', 'good'],
  'recovery_code.used': ['key', 'warn'],
  'identity.linked': ['link', 'good'],
  'identity.unlinked': ['unlink', 'warn'],
  'consent.denied': ['close'],
  'consent.revoked': ['unlink'],
  'client.deleted': ['trash'],
};
