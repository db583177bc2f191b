import type { ListedSession } from '../../core/sessions/sessions.ts';
import { accountArg, withAccount } from '../accounts/account-argument.ts';
import { type Command, done, type Noun, refused, via } from '../command.ts';
import { cancelled, confirmed, yesOption } from '../confirmation.ts';
import { readAll } from '../read-all.ts';
import { day, table } from '../text.ts';

/** Without the members that the server uses internally. */
function presented({ uid, origin, ...times }: ListedSession) {
  const { door, address, userAgent } = origin;
  return { id: uid, door, address, userAgent, ...times };
}

const list: Command = {
  name: 'list',
  sentence: 'List the live sessions of an account, newest first.',
  args: [accountArg],
  details: 'Sessions of browsers, and of programs that signed in with the person’s password. DOOR is the entry point.',
  examples: ['sessions list alice', 'sessions list alice --json'],
  run: (call) =>
    withAccount(call, async (account, core) => {
      const all = await readAll<ListedSession>(call.terminal, 'Reading sessions', (limit, before) =>
        core.sessions.list(account.subject, { limit, ...(before && { before }) }),
      );
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
    }),
};

const end: Command = {
  name: 'end',
  sentence: 'End one session of an account, with its tokens.',
  args: [accountArg, { name: '<id>', sentence: 'The id in `sessions list`.' }],
  details: 'Every server refuses it within a second. Write `--` before an id that begins with a dash.',
  examples: ['sessions end alice 4f1c8e0a93d2b7566d0f9a1e2c3b4d5e', 'sessions end -- alice -kQ2vWm0bTzE4rXs9LdYa'],
  run: (call) =>
    withAccount(call, async ({ subject, username }, core) => {
      const [, id = ''] = call.args;
      const found = await core.sessions.find(id, subject);
      if (!found || !(await core.sessions.end(id, { subject, detail: via }))) {
        return refused('not_found', `${username} has no live session ${id}. See: sessions list ${username}`);
      }
      return done({ id, ended: true }, `Ended the session ${id} of ${username}.`);
    }),
};

const endAll: Command = {
  name: 'end-all',
  sentence: 'End all sessions of an account and all tokens that were issued for it.',
  args: [accountArg],
  options: [yesOption],
  details:
    'Refresh tokens of applications end as well. The account itself does not change: its person can sign in again.',
  examples: ['sessions end-all alice', 'sessions end-all alice --yes'],
  run: (call) =>
    withAccount(call, async ({ subject, username }, core) => {
      if (!(await confirmed(call, `End all sessions and tokens of ${username}?`))) return cancelled;
      await core.sessions.endAll(subject);
      await core.audit.record('session.ended', { subject, detail: { ...via, all: true } });
      return done({ subject, ended: true }, `Ended all sessions and tokens of ${username}.`);
    }),
};

export const sessions: Noun = {
  name: 'sessions',
  sentence: 'Live sessions of people, in browsers and through the APIs.',
  commands: [list, end, endAll],
};
