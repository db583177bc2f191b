/**
 * Passkeys: add, rename, remove. The browser's dialogue on the Security page creates a passkey, with a challenge that
 * is valid for this session and person for five minutes. The page has the button only after a fresh sign-in.
 */
import type { EnrolOutcome } from '../../../core/factors/passkeys.ts';
import { passkeyName } from '../../kit/factor-names.ts';
import { oneOf } from '../../kit/request.ts';
import type { AccountNotice } from '../../kit/view-parts.ts';
import type { AccountDeps } from '../deps.ts';
import { securityPage } from '../kit/security-pages.ts';
import { callerIn, notThere, type Onward, type Show, type Take, type Visit } from '../visit.ts';
import { ask, askName } from './confirmations.ts';
import { longerPasswordFirst, providersOf } from './needed.ts';

const here = '/account/passkeys';

export function createPasskeysPage(deps: AccountDeps): {
  add: Take;
  askName: Show;
  rename: Take;
  askRemoval: Show;
  remove: Take;
} {
  const { passkeys, pages } = deps;

  const find = async ({ account }: Visit, id: string) =>
    (await passkeys.list(account.subject)).find((one) => one.id === id);

  const askForName = (visit: Visit, id: string, name: string, error?: 'too-long') =>
    askName(deps, visit, {
      action: `${here}/rename`,
      field: { name: 'passkey', value: id },
      about: { kind: 'passkey', name },
      ...(error && { error }),
    });

  return {
    async add(visit, form) {
      const { ctx, account, session } = visit;
      const credential = form.get('credential') ?? '';
      const name = form.get('name') || passkeyName(ctx, credential);
      const enrolment = { purpose: purposeOf(session), credential, name };
      const outcome = await passkeys.finishEnrolment(account.subject, enrolment, callerIn(visit, pages));
      if (outcome.outcome === 'enrolled')
        await deps.sessions.strengthen(session.uid, [outcome.passkey.synced ? 'swk' : 'hwk', 'user', 'mfa']);
      return afterwards(outcome);
    },

    async askName(visit) {
      const id = oneOf(visit.ctx, 'passkey') ?? '';
      const passkey = await find(visit, id);
      return passkey ? askForName(visit, id, passkey.name) : notThere(deps, visit);
    },

    async rename(visit, form) {
      const [id, name] = [form.get('passkey') ?? '', form.get('name') ?? ''];
      const renamed = await passkeys.rename(visit.account.subject, id, name, callerIn(visit, pages));
      if (renamed === 'not-found') return notThere(deps, visit);
      return renamed === 'renamed' ? onward('passkey-renamed') : askForName(visit, id, name, 'too-long');
    },

    async askRemoval(visit) {
      const id = oneOf(visit.ctx, 'passkey') ?? '';
      const passkey = await find(visit, id);
      if (!passkey) return notThere(deps, visit);
      return ask(deps, visit, {
        asks: 'passkey',
        action: `${here}/remove`,
        field: { name: 'passkey', value: id },
        about: { kind: 'passkey', name: passkey.name },
      });
    },

    async remove(visit, form) {
      const { subject } = visit.account;
      const id = form.get('passkey') ?? '';
      const first = await longerPasswordFirst(deps, visit.account, id);
      if (first) return first;
      const removed = await passkeys.remove(subject, id, callerIn(visit, pages), providersOf(deps.upstream));
      if (removed === 'not-found') return notThere(deps, visit);
      return onward(removed === 'removed' ? 'factor-removed' : 'passkey-last');
    },
  };
}

/** What a challenge is for. */
export const purposeOf = ({ uid }: Visit['session']): string => `session ${uid}`;

const onward = (notice: AccountNotice): Onward => ({ to: securityPage, note: { notice } });

function afterwards(outcome: EnrolOutcome): Onward {
  switch (outcome.outcome) {
    case 'enrolled': {
      const { recoveryCodes: codes, passkey } = outcome;
      const note = { notice: 'passkey-added', added: passkey.id } as const;
      // The passkey is in place, so its codes do not stand in the way: the Security page asks to save them.
      return { to: securityPage, note: codes.length > 0 ? { ...note, codes } : note };
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
