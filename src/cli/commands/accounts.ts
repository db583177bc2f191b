import type { Account } from '../../core/stores.ts';
import { accountArg, findAccount, noAccount } from '../account-argument.ts';
import { type Call, type Command, done, type Noun, type Opt, type Outcome, refused, via } from '../command.ts';
import { day, facts, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';
import { invite, resetLink } from './account-links.ts';
import { importAccounts } from './accounts-import.ts';

// ---- which password -------------------------------------------------------------------------------------------------

const passwordOption: Opt = {
  flags: '--password-stdin',
  sentence: 'Read the password from standard input, one line. Without it you are asked on the terminal.',
};

/** Never an argument: those are in the shell's history and in everybody's list of processes. */
async function askPassword(call: Call, otherwise: string): Promise<string> {
  const { terminal } = call;
  if (call.flag('password-stdin')) {
    const line = (await terminal.readInput(16_384)).replace(/\r?\n$/, '');
    if (line === '') throw new UsageError('There is no password on standard input.');
    if (/[\r\n]/.test(line)) throw new UsageError('Standard input holds more than one line.');
    return line;
  }
  if (!terminal.interactive) throw new UsageError(`There is no terminal to ask for the password: ${otherwise}.`);
  const password = await terminal.askSecret('Password: ');
  if (password === '') throw new UsageError('Nothing was entered, and nothing was changed.');
  if (password !== (await terminal.askSecret('Once more: ')))
    throw new UsageError('The two are not the same. Nothing was changed.');
  return password;
}

// ---- what is shown --------------------------------------------------------------------------------------------------

/** Without the password's hash and the keys by which names are compared. */
function presented(account: Account) {
  const { passwordHash, usernameKey: _usernameKey, emailKey: _emailKey, ...rest } = account;
  return { ...rest, hasPassword: passwordHash !== null };
}

const yes = (is: boolean): string => (is ? 'yes' : 'no');

const fullName = ({ firstName, lastName }: Account): string => `${firstName} ${lastName}`.trim();

function shown(account: Account, online?: boolean): string {
  const verified = account.verified ? 'verified' : 'not verified';
  return facts({
    Id: String(account.id),
    Subject: account.subject,
    Username: account.username,
    Name: fullName(account),
    'E-mail': account.email === null ? undefined : `${account.email} (${verified})`,
    Admin: yes(account.admin),
    'Second factor': yes(account.twoFactor),
    Password: account.passwordHash === null ? 'none: cannot sign in with one' : 'set',
    Status: account.disabledAt === null ? 'enabled' : `disabled since ${day(account.disabledAt)}`,
    Made: day(account.createdAt),
    Online: online === undefined ? undefined : yes(online),
    'Last seen': day(account.lastSeenAt) || 'never',
  });
}

// ---- commands -------------------------------------------------------------------------------------------------------

const fieldNames = {
  username: 'The username',
  email: 'The e-mail address',
  firstName: 'The first name',
  lastName: 'The last name',
};

const create: Command = {
  name: 'create',
  sentence: 'Make an account.',
  args: [{ name: '<username>', sentence: 'Letters, numbers and . _ - @ +' }],
  options: [
    { flags: '--first-name <text>', sentence: 'First name.' },
    { flags: '--last-name <text>', sentence: 'Last name.' },
    { flags: '--email <address>', sentence: 'E-mail address.' },
    { flags: '--verified', sentence: 'The e-mail address is known to be theirs, so they may sign in with it too.' },
    { flags: '--admin', sentence: 'An admin of this server.' },
    passwordOption,
    { flags: '--no-password', sentence: 'Make it without one: nobody signs in with a password until one is set.' },
  ],
  examples: [
    'accounts create alice --email alice@example.com --verified',
    'accounts create root --admin --password-stdin < password.txt',
  ],
  async run(call) {
    const [username = ''] = call.args;
    const without = call.flag('password') === false;
    if (without && call.flag('password-stdin'))
      throw new UsageError('--no-password and --password-stdin do not go together.');
    const email = call.text('email');
    if (call.flag('verified') && email === undefined && !username.includes('@')) {
      throw new UsageError('--verified needs an --email.');
    }
    const password = without
      ? undefined
      : await askPassword(call, 'pipe it in with --password-stdin, or use --no-password');
    const core = await call.core();
    const form = {
      username,
      password,
      firstName: call.text('first-name') ?? '',
      lastName: call.text('last-name') ?? '',
      email,
      verified: call.flag('verified') === true,
      admin: call.flag('admin') === true,
    };
    const made = await core.accounts.create(form, via);
    switch (made.outcome) {
      case 'created':
        return done(presented(made.account), `Made the account ${made.account.username}.\n\n${shown(made.account)}`);
      case 'taken':
        return refused('conflict', `${fieldNames[made.field]} is taken.`, { field: made.field });
      case 'weak-password':
        return refused('weak_password', made.reason.sentence, { reason: made.reason.code });
      case 'invalid':
        return refused('invalid_account', `${fieldNames[made.field]} was refused. ${made.sentence}`, {
          field: made.field,
          reason: made.reason,
        });
    }
  },
};

const setPassword: Command = {
  name: 'set-password',
  sentence: 'Set the password of an account, and end its sessions.',
  args: [accountArg],
  options: [passwordOption, { flags: '--keep-sessions', sentence: 'Leave its sessions and tokens alone.' }],
  examples: ['accounts set-password alice', 'accounts set-password alice --password-stdin < password.txt'],
  async run(call) {
    const [named = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    const password = await askPassword(call, 'pipe it in with --password-stdin');
    const endSessions = call.flag('keep-sessions') !== true;
    const set = await core.accounts.setPassword(account.subject, password, { endSessions, actor: via });
    switch (set.outcome) {
      case 'changed':
        return done(
          { subject: account.subject, changed: true, sessionsEnded: endSessions },
          `Set the password of ${account.username}${endSessions ? ' and ended its sessions' : ''}.`,
        );
      case 'not-found':
        return noAccount(named);
      case 'weak-password':
        return refused('weak_password', set.reason.sentence, { reason: set.reason.code });
    }
  },
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

async function switchTo(call: Call, verb: 'disable' | 'enable'): Promise<Outcome> {
  const [named = ''] = call.args;
  const core = await call.core();
  const account = await findAccount(core, named);
  if (!account || !(await core.accounts[verb](account.subject, via))) return noAccount(named);
  const now = (await core.accounts.findBySubject(account.subject)) ?? account;
  return done(presented(now), `The account ${account.username} is ${verb}d.`);
}

const remove: Command = {
  name: 'delete',
  sentence: 'Delete an account with all that belongs to it.',
  args: [accountArg],
  options: [{ flags: '--yes', sentence: 'Do not ask.' }],
  details: 'On a terminal it asks before it does so. To stop somebody for a while, disable the account.',
  examples: ['accounts delete alice'],
  async run(call) {
    const [named = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    if (
      !call.flag('yes') &&
      !(await call.terminal.confirm(`Delete the account ${account.username} with all that belongs to it?`))
    ) {
      return refused('cancelled', 'Nothing was changed.');
    }
    if (!(await core.accounts.remove(account.subject, via))) return noAccount(named);
    return done({ subject: account.subject, deleted: true }, `Deleted the account ${account.username}.`);
  },
};

const list: Command = {
  name: 'list',
  sentence: 'List all accounts.',
  examples: ['accounts list', 'accounts list --json'],
  async run(call) {
    const { stores } = await call.core();
    const all = await call.terminal.progress('Reading accounts', async (step) => {
      const read: Account[] = [];
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page: Account[] = await stores.accounts.list(after, 1000);
        read.push(...page);
        step(read.length);
        after = page.length < 1000 ? undefined : page.at(-1)?.id;
      }
      return read;
    });
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
    'Online is who has a live session, in a browser or through an API; last seen is when they last did something.',
  examples: ['accounts show alice', 'accounts show id:42 --json'],
  async run(call) {
    const [named = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    const online = (await core.sessions.list(account.subject, { limit: 1 })).length > 0;
    return done({ ...presented(account), online }, shown(account, online));
  },
};

const factors: Command = {
  name: 'factors',
  sentence: 'List the passkeys and second factors of an account.',
  args: [accountArg],
  examples: ['accounts factors alice', 'accounts factors alice --json'],
  async run(call) {
    const [named = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    const [{ factors, recoveryCodesLeft }, passkeys] = await Promise.all([
      core.factors.list(account.subject),
      core.passkeys.list(account.subject),
    ]);
    const row = (kind: string, { id, name, createdAt, lastUsedAt }: (typeof passkeys | typeof factors)[number]) => [
      ...[id, kind, name, day(createdAt), day(lastUsedAt) || 'never'],
    ];
    const rows = [
      ...passkeys.map((passkey) => [...row('passkey', passkey), 'active']),
      ...factors.map((factor) => [
        ...row(factor.kind === 'totp' ? 'authenticator app' : 'codes by e-mail', factor),
        factor.locked ? 'locked: too many wrong codes' : 'active',
      ]),
    ];
    const listed = table(['ID', 'KIND', 'NAME', 'MADE', 'LAST USED', 'STATUS'], rows, 'It has no second factor.');
    const left = rows.length === 0 ? '' : `\n\nRecovery codes left: ${recoveryCodesLeft}`;
    return done(
      {
        factors: factors.map((factor) => ({ ...factor })),
        passkeys: passkeys.map((passkey) => ({ ...passkey })),
        recoveryCodesLeft,
      },
      `${listed}${left}`,
    );
  },
};

const removeFactors: Command = {
  name: 'remove-factors',
  sentence: 'Remove all passkeys, second factors and recovery codes of an account: its password alone signs in then.',
  args: [accountArg],
  options: [{ flags: '--yes', sentence: 'Do not ask.' }],
  details:
    'On a terminal it asks before it does so. It is for a person who has lost the app, the passkeys and the recovery codes: ' +
    'be sure who asks, since whoever has the password is in then. Somebody without a password needs one afterwards.',
  examples: ['accounts remove-factors alice'],
  async run(call) {
    const [named = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    const question = `Remove all second factors of ${account.username}?`;
    if (!call.flag('yes') && !(await call.terminal.confirm(question)))
      return refused('cancelled', 'Nothing was changed.');
    const removed = await core.factors.removeAll(account.subject, via);
    return done(
      { subject: account.subject, removed },
      removed ? `Removed all second factors of ${account.username}.` : `${account.username} had no second factor.`,
    );
  },
};

export const accounts: Noun = {
  name: 'accounts',
  sentence: 'The people who sign in.',
  commands: [
    create,
    invite,
    importAccounts,
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
