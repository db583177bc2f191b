import type { Account } from '../../core/stores/accounts.ts';
import { accountArg, noAccount, withAccount } from '../accounts/account-argument.ts';
import { fullName, presented, shown } from '../accounts/account-text.ts';
import { type Call, type Command, done, type Noun, type Outcome, refused, via } from '../command.ts';
import { cancelled, confirmed, yesOption } from '../confirmation.ts';
import { askPassword, passwordOption } from '../password-prompt.ts';
import { readAll } from '../read-all.ts';
import { day, table } from '../text.ts';
import { create } from './account-create.ts';
import { factors, removeFactors } from './account-factors.ts';
import { invite, resetLink } from './account-links.ts';
import { demote, promote, update } from './account-update.ts';
import { importAccounts } from './accounts-import.ts';

const setPassword: Command = {
  name: 'set-password',
  sentence: 'Set the password of an account and end its sessions.',
  args: [accountArg],
  options: [passwordOption, { flags: '--keep-sessions', sentence: 'Keep its sessions and tokens.' }],
  examples: ['accounts set-password alice', 'accounts set-password alice --password-stdin < password.txt'],
  run: (call) =>
    withAccount(call, async (account, core) => {
      const password = await askPassword(call, 'pipe it in with --password-stdin');
      const endSessions = call.flag('keep-sessions') !== true;
      const set = await core.accounts.setPassword(account.subject, password, { endSessions, caller: via });
      switch (set.outcome) {
        case 'changed':
          return done(
            { subject: account.subject, changed: true, sessionsEnded: endSessions },
            `Set the password of ${account.username}${endSessions ? ' and ended its sessions' : ''}.`,
          );
        case 'not-found':
          return noAccount(call);
        case 'weak-password':
          return refused('weak_password', set.reason.sentence, { reason: set.reason.code });
      }
    }),
};

const disable: Command = {
  name: 'disable',
  sentence: 'Disable an account and end its sessions and tokens.',
  args: [accountArg],
  examples: ['accounts disable alice'],
  run: (call) => switchTo(call, 'disable'),
};

const enable: Command = {
  name: 'enable',
  sentence: 'Enable a disabled account again.',
  args: [accountArg],
  examples: ['accounts enable alice'],
  run: (call) => switchTo(call, 'enable'),
};

function switchTo(call: Call, verb: 'disable' | 'enable'): Promise<Outcome> {
  return withAccount(call, async (account, core) => {
    if (!(await core.accounts[verb](account.subject, via))) return noAccount(call);
    const now = (await core.accounts.findBySubject(account.subject)) ?? account;
    return done(presented(now), `The account ${account.username} is ${verb}d.`);
  });
}

const remove: Command = {
  name: 'delete',
  sentence: 'Delete an account with everything that belongs to it.',
  args: [accountArg],
  options: [yesOption],
  details:
    'On a terminal it asks first. To block a person for a while, disable the account instead. The only administrator is not deleted.',
  examples: ['accounts delete alice'],
  run: (call) =>
    withAccount(call, async (account, core) => {
      if (!(await confirmed(call, `Delete the account ${account.username} with everything that belongs to it?`)))
        return cancelled;
      const removed = await core.accounts.remove(account.subject, via);
      if (removed === 'not-found') return noAccount(call);
      if (removed === 'last-admin') {
        return refused(
          'last_admin',
          `${account.username} is the only administrator. Promote another account first: accounts promote <account>`,
        );
      }
      return done({ subject: account.subject, deleted: true }, `Deleted the account ${account.username}.`);
    }),
};

const list: Command = {
  name: 'list',
  sentence: 'List all accounts.',
  examples: ['accounts list', 'accounts list --json'],
  async run(call) {
    const { stores } = await call.core();
    const all = await readAll<Account>(call.terminal, 'Reading accounts', (limit, last) =>
      stores.accounts.list(last?.id ?? 0, limit),
    );
    const rows = all.map((account) => [
      String(account.id),
      account.username,
      fullName(account),
      account.email ?? '',
      account.admin ? 'admin' : '',
      account.disabledAt === null ? 'enabled' : 'disabled',
      day(account.lastSeenAt),
    ]);
    return done(
      all.map(presented),
      table(['ID', 'USERNAME', 'NAME', 'E-MAIL', 'ADMIN', 'STATUS', 'LAST SEEN'], rows, 'There are no accounts yet.'),
    );
  },
};

const show: Command = {
  name: 'show',
  sentence: 'Show one account.',
  args: [accountArg],
  details:
    'Online: the person has a live session, in a browser or through an API. Last seen: the time of their last action.',
  examples: ['accounts show alice', 'accounts show id:42 --json'],
  run: (call) =>
    withAccount(call, async (account, core) => {
      const [sessions, groups] = await Promise.all([
        core.sessions.list(account.subject, { limit: 1 }),
        core.groups.namesOf(account.subject),
      ]);
      const more = { online: sessions.length > 0, groups };
      return done({ ...presented(account), online: more.online, groups: [...groups] }, shown(account, more));
    }),
};

export const accounts: Noun = {
  name: 'accounts',
  sentence: 'The people who sign in.',
  commands: [
    create,
    invite,
    importAccounts,
    update,
    promote,
    demote,
    disable,
    enable,
    setPassword,
    resetLink,
    factors,
    removeFactors,
    remove,
    list,
    show,
  ],
};
