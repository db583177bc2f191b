/** What operators see of the registration of a client that registered itself. */
import type { JsonObject } from '../../base/json.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Registration } from '../../core/stores/registrations.ts';
import type { CommandCore } from '../command.ts';
import { day, facts } from '../text.ts';

interface Told {
  readonly json: JsonObject;
  readonly text: string;
}

const nothing: Told = { json: {}, text: '' };

/** Empty for other clients. */
export async function registrationOf({ stores, config }: CommandCore, client: ClientRecord): Promise<Told> {
  if (client.origin !== 'dynamic') return nothing;
  const registration = await stores.registrations.find(client.id);
  if (!registration) return nothing;
  const { initialToken, lastUsedAt } = registration;
  const expiresAt = client.reviewedAt === null ? endOf(registration, config.registration) : null;
  return {
    json: { initial_token: initialToken, last_used_at: lastUsedAt, expires_at: expiresAt },
    text: `\n${facts({
      'Initial token': initialToken,
      'Last token': day(lastUsedAt) || 'never',
      Expires: day(expiresAt) || 'never, because it is reviewed',
    })}`,
  };
}

/** The earliest time: a consent that is used later moves it. */
function endOf({ createdAt, lastUsedAt }: Registration, { unused, idle }: { unused: number; idle: number }): number {
  return lastUsedAt === null ? createdAt + unused : lastUsedAt + idle;
}
