/**
 * Mails the user when an old refresh token ended the access of an application: another program may have a copy of it.
 * The application asks the user to sign in again, and the mail says why.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Caller } from '../kernel/caller.ts';
import type { AccountStore } from '../stores/accounts.ts';
import type { ClientRecord } from '../stores/clients.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';
import { factsOf } from './letter-facts.ts';
import type { Mails } from './mails.ts';

interface AccessLetters {
  /** Does not wait. */
  replayed(about: { subject: string; clientId: string; caller: Caller }): void;
}

/** Mails per account, however often applications lose their access. */
const mailsAnHour = 5;

export function createAccessLetters(deps: {
  readonly stores: { readonly accounts: Pick<AccountStore, 'bySubject'> };
  readonly cached: { readonly find: (id: string) => Promise<ClientRecord | undefined> };
  readonly mails: Pick<Mails, 'later'>;
  readonly throttle: Throttle;
}): AccessLetters {
  const { stores, cached, mails, throttle } = deps;
  return {
    replayed({ subject, clientId, caller }) {
      const at = nowSeconds();
      mails.later(async () => {
        const account = await stores.accounts.bySubject(subject);
        if (!account?.verified || account.email === null || account.disabledAt !== null) return undefined;
        const may = await throttle.attempt([{ key: `access-ended:${subject}`, limit: mailsAnHour }], 3600);
        if (!may.allowed) return undefined;
        const client = await cached.find(clientId);
        return {
          kind: 'access-ended',
          to: account.email,
          locale: account.locale ?? 'en',
          subject,
          path: '/account/connections',
          values: { client: client ? mailedName(client) : clientId },
          facts: factsOf(account, caller, at),
        };
      });
    },
  };
}

/** A name that no operator has reviewed could be any text, so the mail has the host of the client id, or the id. */
function mailedName({ id, metadata, reviewedAt }: ClientRecord): string {
  if (reviewedAt !== null && typeof metadata.client_name === 'string') return metadata.client_name;
  return URL.parse(id)?.host || id;
}
