/**
 * A mail to whoever's second factors have changed: somebody who got hold of a session must not be able to add or take away one
 * without a word. It hangs on the record of the change, so that no way to change one can forget it.
 */
import type { Audit } from './audit.ts';
import type { LetterKind } from './mailer.ts';
import type { Mails } from './mails.ts';
import type { AccountStore } from './stores.ts';

const letters: Readonly<Record<string, LetterKind>> = {
  'factor.added': 'factor-added',
  'factor.removed': 'factor-removed',
};

export function withFactorLetters(
  audit: Audit,
  deps: { readonly accounts: Pick<AccountStore, 'bySubject'>; readonly mails: Pick<Mails, 'later'> },
): Audit {
  return {
    ...audit,
    async record(event, fields) {
      await audit.record(event, fields);
      const kind = letters[event];
      const { subject } = fields;
      if (kind === undefined || !subject) return;
      deps.mails.later(async () => {
        const account = await deps.accounts.bySubject(subject);
        if (!account?.verified || account.email === null) return undefined;
        const { email, username, locale } = account;
        return { kind, to: email, locale: locale ?? 'en', subject, path: '/account/factors', values: { username } };
      });
    },
  };
}
