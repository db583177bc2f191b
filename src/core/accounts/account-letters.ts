/** After a new password or a deleted account: sends a mail, and forgets browsers and failures of the old password. */
import type { Caller } from '../kernel/caller.ts';
import { accountThrottleKey } from '../kernel/throttle-keys.ts';
import { factsOf } from '../mail/letter-facts.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account } from '../stores/accounts.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';

export interface LetterParts {
  knownBrowsers: { forgetOthers(subject: string, browser: string | undefined): Promise<void> };
  throttle: Pick<Throttle, 'clear'>;
  mails: Pick<Mails, 'send'>;
}

export function accountLetters({ knownBrowsers, throttle, mails }: LetterParts) {
  const send = (kind: 'password-changed' | 'account-deleted', account: Account, caller: Caller | undefined): void => {
    const { subject, email, verified } = account;
    if (email === null || !verified) return;
    const locale = account.locale ?? caller?.locale ?? 'en';
    const path = kind === 'password-changed' ? '/forgot' : undefined;
    mails.send({ kind, to: email, locale, subject, ...(path && { path }), facts: factsOf(account, caller) });
  };

  return {
    async passwordSet(account: Account, caller: Caller | undefined): Promise<void> {
      await knownBrowsers.forgetOthers(account.subject, caller?.browser);
      // The failures were guesses at the old password. They must not throttle the owner, who has the new one.
      await throttle.clear(accountThrottleKey(account.subject, ''));
      send('password-changed', account, caller);
    },
    removed: (account: Account, caller: Caller | undefined): void => send('account-deleted', account, caller),
  };
}
