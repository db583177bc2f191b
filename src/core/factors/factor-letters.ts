/**
 * Mails the user when a second factor or an upstream identity is added or removed, because an attacker with a stolen
 * session could do that. The mail follows the audit record, so that no code path can forget it.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Audit } from '../kernel/audit.ts';
import { factsOf } from '../mail/letter-facts.ts';
import type { LetterKind } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { AccountStore } from '../stores/accounts.ts';

const factors = '/account/security';
const identities = `${factors}#identities`;
const letters: Readonly<Record<string, { readonly kind: LetterKind; readonly path: string }>> = {
  'factor.added': { kind: 'factor-added', path: factors },
  'factor.removed': { kind: 'factor-removed', path: factors },
  'identity.linked': { kind: 'identity-linked', path: identities },
  'identity.unlinked': { kind: 'identity-unlinked', path: identities },
};

export function withFactorLetters(core: {
  readonly audit: Audit;
  readonly stores: { readonly accounts: Pick<AccountStore, 'bySubject'> };
  readonly mails: Pick<Mails, 'later'>;
  /** Upstream providers, for their names. */
  readonly providers?: readonly { readonly id: string; readonly name: string }[];
}): Audit {
  const { audit, stores, mails, providers = [] } = core;
  return {
    ...audit,
    async record(event, fields) {
      await audit.record(event, fields);
      const letter = letters[event];
      const { subject, detail, caller } = fields;
      if (letter === undefined || !subject) return;
      const id = String(detail?.upstream ?? '');
      const provider = providers.find((one) => one.id === id)?.name ?? id;
      const factor = typeof detail?.kind === 'string' ? detail.kind : undefined;
      const at = nowSeconds();
      mails.later(async () => {
        const account = await stores.accounts.bySubject(subject);
        if (!account?.verified || account.email === null) return undefined;
        const { email: to, locale } = account;
        const facts = { ...factsOf(account, caller, at), factor };
        return { ...letter, to, locale: locale ?? 'en', subject, values: { provider }, facts };
      });
    },
  };
}
