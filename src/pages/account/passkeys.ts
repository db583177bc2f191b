/**
 * Passkeys: list, add, rename, remove. The browser's dialogue on this page creates a passkey, with a challenge that is
 * valid for this session and person for five minutes. The page needs a fresh sign-in.
 */
import type { EnrolOutcome } from '../../core/factors/passkeys.ts';
import type { AccountNotice } from '../kit/view-parts.ts';
import type { AccountDeps } from './deps.ts';
import { longerPasswordFirst, neededOf, providersOf } from './needed.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, notThere, type Onward, type Show, showPage, type Take, type Visit } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-passkeys': AccountForm & {
      readonly passkeys: readonly {
        readonly id: string;
        readonly name: string;
        readonly synced: boolean;
        readonly createdAt: number;
        readonly lastUsedAt?: number | undefined;
        /** The passkey cannot be removed, because the person needs it to sign in. */
        readonly needed: boolean;
      }[];
      /** Options for the browser to create a passkey, in JSON; undefined if the maximum is reached. */
      readonly options?: string | undefined;
    };
  }
}

const here = '/account/passkeys';

export function createPasskeysPage(deps: AccountDeps): { show: Show; add: Take; rename: Take; remove: Take } {
  const { passkeys, pages } = deps;

  async function show(visit: Visit): Promise<undefined> {
    const { account, session } = visit;
    const [list, begun] = await Promise.all([
      passkeys.list(account.subject),
      passkeys.beginEnrolment(account.subject, purposeOf(session)),
    ]);
    const needed = await neededOf(deps.upstream, account, list);
    return showPage(deps, visit, 'account-passkeys', {
      passkeys: list.map((passkey) => ({
        ...passkey,
        lastUsedAt: passkey.lastUsedAt ?? undefined,
        needed: needed(passkey.id),
      })),
      options: begun.outcome === 'begun' ? begun.options : undefined,
    });
  }

  return {
    show,

    async add(visit, form) {
      const { account, session } = visit;
      const outcome = await passkeys.finishEnrolment(
        account.subject,
        {
          purpose: purposeOf(session),
          credential: form.get('credential') ?? '',
          name: form.get('name') ?? '',
        },
        callerIn(visit, pages),
      );
      if (outcome.outcome === 'enrolled')
        await deps.sessions.strengthen(session.uid, [outcome.passkey.synced ? 'swk' : 'hwk', 'user', 'mfa']);
      return afterwards(outcome);
    },

    async rename(visit, form) {
      const { subject } = visit.account;
      const renamed = await passkeys.rename(
        subject,
        form.get('passkey') ?? '',
        form.get('name') ?? '',
        callerIn(visit, pages),
      );
      if (renamed === 'not-found') return notThere(deps, visit);
      return onward(renamed === 'renamed' ? 'passkey-renamed' : 'passkey-name');
    },

    async remove(visit, form) {
      const { subject } = visit.account;
      const id = form.get('passkey') ?? '';
      const first = await longerPasswordFirst(deps, visit.account, id);
      if (first) return first;
      const caller = callerIn(visit, pages);
      const removed = await passkeys.remove(subject, id, caller, providersOf(deps.upstream));
      if (removed === 'not-found') return notThere(deps, visit);
      return onward(removed === 'removed' ? 'factor-removed' : 'passkey-last');
    },
  };
}

const purposeOf = ({ uid }: Visit['session']): string => `session ${uid}`;

const onward = (notice: AccountNotice): Onward => ({ to: here, note: { notice } });

function afterwards(outcome: EnrolOutcome): Onward {
  switch (outcome.outcome) {
    case 'enrolled': {
      const { recoveryCodes: codes } = outcome;
      return codes.length > 0
        ? { to: '/account/factors/codes', note: { notice: 'passkey-added', codes } }
        : onward('passkey-added');
    }
    case 'taken':
      return onward('passkey-taken');
    case 'too-many':
      return onward('passkey-too-many');
    case 'bad-name':
      return onward('passkey-name');
    case 'refused':
    case 'not-found':
      return onward('passkey-refused');
  }
}
