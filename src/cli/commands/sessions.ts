import type { ListedSession } from '../../core/sessions/sessions.ts';
import { accountArg, withAccount } from '../accounts/account-argument.ts';
import { type Command, done, type Noun, refused, via } from '../command.ts';
import { cancelled, confirmed, yesOption } from '../confirmation.ts';
import { readAll } from '../read-all.ts';
import { day, table } from '../text.ts';

/** Without what the server makes of it for itself. */
function presented({ uid, origin, ...times }: ListedSession) {
  const { door, address, userAgent } = origin;
  return { id: uid, door, address, userAgent, ...times };
}

const list: Command = {
  name: 'list',
  sentence: 'List the live sessions of an account, the newest first.',
  args: [accountArg],
  details:
    'Those of browsers and those that programs have begun with the person’s password, each by the door it came through.',
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
  sentence: 'End one session of an account, with the tokens that hang on it.',
  args: [accountArg, { name: '<id>', sentence: 'As `sessions list` shows it.' }],
  details: 'Every server refuses it within a second. An id that begins with a dash comes behind `--`.',
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
  sentence: 'End all sessions of an account, and every token that was issued for it.',
  args: [accountArg],
  options: [yesOption],
  details:
    'Refresh tokens of applications end as well. The account itself stays as it is: its person may sign in again.',
  examples: ['sessions end-all alice', 'sessions end-all alice --yes'],
  run: (call) =>
    withAccount(call, async ({ subject, username }, core) => {
      if (!(await confirmed(call, `End every session and token of ${username}?`))) return cancelled;
      await core.sessions.endAll(subject);
      await core.audit.record('session.ended', { subject, detail: { ...via, all: true } });
      return done({ subject, ended: true }, `Ended all sessions and tokens of ${username}.`);
    }),
};

export const sessions: Noun = {
  name: 'sessions',
  sentence: 'Where people are signed in: in browsers and through the APIs.',
  commands: [list, end, endAll],
};
