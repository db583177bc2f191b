import type { ListedSession } from '../../core/sessions.ts';
import { accountArg, findAccount, noAccount } from '../account-argument.ts';
import { type Command, done, type Noun, refused, via } from '../command.ts';
import { day, table } from '../text.ts';

/** Without what the server makes of it for itself. */
function presented({ uid, origin, ...times }: ListedSession) {
  const { door, address, userAgent } = origin;
  return { id: uid, door, address, userAgent, ...times };
}

const pageSize = 1000;

const list: Command = {
  name: 'list',
  sentence: 'List the live sessions of an account, the newest first.',
  args: [accountArg],
  details:
    'Those of browsers and those that programs have begun with the person’s password, each by the door it came through.',
  examples: ['sessions list alice', 'sessions list alice --json'],
  async run(call) {
    const [named = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    const all = await call.terminal.progress('Reading sessions', async (step) => {
      const read: ListedSession[] = [];
      for (let before: ListedSession | undefined, more = true; more; before = read.at(-1)) {
        const page = await core.sessions.list(account.subject, { limit: pageSize, ...(before && { before }) });
        read.push(...page);
        step(read.length);
        more = page.length === pageSize;
      }
      return read;
    });
    const rows = all.map(({ uid, origin, createdAt, lastSeenAt, expiresAt }) => [
      uid,
      origin.door,
      origin.address ?? '',
      day(createdAt),
      day(lastSeenAt),
      day(expiresAt),
      origin.userAgent ?? '',
    ]);
    return done(
      all.map(presented),
      table(
        ['ID', 'DOOR', 'ADDRESS', 'BEGUN', 'LAST SEEN', 'UNTIL', 'PROGRAM'],
        rows,
        `${account.username} has no live session.`,
      ),
    );
  },
};

const end: Command = {
  name: 'end',
  sentence: 'End one session of an account, with the tokens that hang on it.',
  args: [accountArg, { name: '<id>', sentence: 'As `sessions list` shows it.' }],
  details: 'Every server refuses it within a second. An id that begins with a dash comes behind `--`.',
  examples: ['sessions end alice 4f1c8e0a93d2b7566d0f9a1e2c3b4d5e', 'sessions end -- alice -kQ2vWm0bTzE4rXs9LdYa'],
  async run(call) {
    const [named = '', id = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    const { subject, username } = account;
    const found = await core.sessions.find(id, subject);
    if (!found || !(await core.sessions.end(id, { subject, detail: via }))) {
      return refused('not_found', `${username} has no live session ${id}. See: sessions list ${username}`);
    }
    return done({ id, ended: true }, `Ended the session ${id} of ${username}.`);
  },
};

const endAll: Command = {
  name: 'end-all',
  sentence: 'End all sessions of an account, and every token that was issued for it.',
  args: [accountArg],
  options: [{ flags: '--yes', sentence: 'Do not ask.' }],
  details:
    'Refresh tokens of applications end as well. The account itself stays as it is: its person may sign in again.',
  examples: ['sessions end-all alice', 'sessions end-all alice --yes'],
  async run(call) {
    const [named = ''] = call.args;
    const core = await call.core();
    const account = await findAccount(core, named);
    if (!account) return noAccount(named);
    const { subject, username } = account;
    if (!call.flag('yes') && !(await call.terminal.confirm(`End every session and token of ${username}?`))) {
      return refused('cancelled', 'Nothing was changed.');
    }
    await core.sessions.endAll(subject);
    await core.audit.record('session.ended', { subject, detail: { ...via, all: true } });
    return done({ subject, ended: true }, `Ended all sessions and tokens of ${username}.`);
  },
};

export const sessions: Noun = {
  name: 'sessions',
  sentence: 'Where people are signed in: in browsers and through the APIs.',
  commands: [list, end, endAll],
};
