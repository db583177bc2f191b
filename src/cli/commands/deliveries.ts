import { type Delivery, deliveryStates } from '../../core/stores/deliveries.ts';
import { type Call, type Command, done, type Noun, refused } from '../command.ts';
import { counted, day, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';

const defaultLimit = 50;

/** Without the members that the server uses internally. */
function presented({ mergeKey: _key, version: _version, dueMs, ...delivery }: Delivery) {
  const waits = delivery.state === 'waiting';
  return { ...delivery, dueAt: waits ? Math.ceil(dueMs / 1000) : null };
}

const list: Command = {
  name: 'list',
  sentence: 'List messages to applications, newest first: back-channel logouts.',
  options: [
    { flags: '--client <id>', sentence: 'Only those to this client.' },
    { flags: '--state <state>', sentence: 'Only those in this state.', choices: deliveryStates },
    { flags: '--limit <number>', sentence: `How many of the newest. Without it: ${defaultLimit}.`, number: [1, 1000] },
  ],
  details:
    'A message is tried for a day. `failed`: the application refused it, or did not take it for a day. `dropped`: the client was deleted or disabled. Settled messages are kept for 7 days.',
  examples: ['deliveries list', 'deliveries list --client bookshelf --state failed', 'deliveries list --json'],
  async run(call) {
    const { deliveries } = await call.core();
    const state = deliveryStates.find((name) => name === call.text('state'));
    const rows = await deliveries.list({ clientId: call.text('client'), state }, call.number('limit') ?? defaultLimit);
    const shown = rows.map(presented);
    return done(
      shown,
      table(
        ['ID', 'KIND', 'CLIENT', 'STATE', 'MADE', 'ATTEMPTS', 'NEXT', 'LAST OUTCOME'],
        shown.map(({ id, kind, clientId, state: now, createdAt, attempts, dueAt, lastOutcome }) => [
          ...[String(id), kind, clientId, now, day(createdAt), String(attempts), day(dueAt), lastOutcome ?? ''],
        ]),
        'There are no such messages.',
      ),
    );
  },
};

function chosen(call: Call): { id: number } | { clientId: string } {
  const [id] = call.args;
  const clientId = call.text('client');
  if ((id === undefined) === (clientId === undefined)) throw new UsageError('Name either an id or a --client.');
  if (clientId !== undefined) return { clientId };
  if (!/^\d{1,15}$/.test(id ?? '')) throw new UsageError('An id is the number in `deliveries list`.');
  return { id: Number(id) };
}

const retry: Command = {
  name: 'retry',
  sentence: 'Send a failed message again, or all waiting and failed ones of a client.',
  args: [{ name: '[id]', sentence: 'The id in `deliveries list`.' }],
  options: [{ flags: '--client <id>', sentence: 'All messages of this client that wait or failed.' }],
  details: 'A running server sends them within a second, and tries them for another day.',
  examples: ['deliveries retry 4711', 'deliveries retry --client bookshelf'],
  async run(call) {
    const which = chosen(call);
    const again = await (await call.core()).deliveries.retry(which);
    if (again > 0) return done({ again }, `${counted(again, 'message is', 'messages are')} sent again.`);
    return 'id' in which
      ? refused('not_found', `There is no waiting or failed message ${which.id}. See: deliveries list`)
      : done({ again }, `No message of ${which.clientId} waits or has failed.`);
  },
};

export const deliveries: Noun = {
  name: 'deliveries',
  sentence: 'Messages to applications: that a session has ended.',
  commands: [list, retry],
};
