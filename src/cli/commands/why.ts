import { type CheckName, checks } from '../../core/refusals/checks.ts';
import type { RefusalRow } from '../../core/stores/refusals.ts';
import { type Command, done, refused } from '../command.ts';
import { day, facts, table } from '../text.ts';

const seconds = (ms: number): number => Math.floor(ms / 1000);

function inWords(row: RefusalRow): string {
  const check = checks[row.check as CheckName] ?? checks.other;
  return [
    check.says,
    '',
    facts({
      check: row.check,
      source: check.source,
      expected: row.expected,
      received: row.received,
      nearest: row.nearest,
      'what to do': row.advice,
      client: row.clientId,
      endpoint: `${row.endpoint}, ${row.status} ${row.error}`,
      address: row.address,
      first: day(seconds(row.atMs)),
      last: day(seconds(row.lastMs)),
      times: String(row.times),
      reference: row.reference,
    }),
  ].join('\n');
}

function presented({ network: _network, scope: _scope, ...row }: RefusalRow) {
  return { ...row };
}

export const why: Command = {
  name: 'why',
  sentence: 'Show why a request was refused.',
  args: [
    {
      name: '[reference]',
      sentence: 'The reference in the response, on the error page or in the log. Without it: the newest refusals.',
    },
  ],
  options: [
    { flags: '--client <id>', sentence: 'Only the refusals of this client, registered or not.' },
    { flags: '--limit <number>', sentence: 'How many of the newest. Without it: 20.', number: [1, 1000] },
  ],
  details:
    'Records are kept for 30 days, at most 500 of one client. Secrets, codes, tokens and passwords are never recorded.',
  examples: ['why 3f2b8c1d-77aa', 'why --client bookshelf', 'why --limit 50 --json'],
  async run(call) {
    const [reference] = call.args;
    const { refusals } = await call.core();
    if (reference !== undefined) {
      const row = await refusals.find(reference);
      return row
        ? done(presented(row), inWords(row))
        : refused('not_found', `There is no record under the reference ${reference}. It may be older than 30 days.`);
    }
    const clientId = call.text('client');
    const rows = await refusals.list({ ...(clientId !== undefined && { clientId }) }, call.number('limit') ?? 20);
    const cells = rows.map((row) => [
      row.reference,
      day(seconds(row.lastMs)),
      String(row.times),
      row.endpoint,
      row.check,
      row.clientId ?? '',
      row.received ?? '',
    ]);
    return done(
      rows.map(presented),
      table(
        ['REFERENCE', 'LAST', 'TIMES', 'ENDPOINT', 'CHECK', 'CLIENT', 'RECEIVED'],
        cells,
        'No request was refused.',
      ),
    );
  },
};
