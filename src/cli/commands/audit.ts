import { nowMs } from '../../base/clock.ts';
import type { StoredAuditEvent } from '../../core/stores/audit.ts';
import { filterOf, filterOptions } from '../audit-filter.ts';
import { type Call, type Command, done, type Noun, type Outcome, refused } from '../command.ts';
import { table } from '../text.ts';

const largestId: [number, number] = [1, Number.MAX_SAFE_INTEGER];
const exact = (atMs: number): string => new Date(atMs).toISOString();

function presented({ id, atMs, ...event }: StoredAuditEvent) {
  return { id, at: exact(atMs), atMs, ...event };
}

const list: Command = {
  name: 'list',
  sentence: 'List audit records, newest first.',
  options: [
    ...filterOptions,
    { flags: '--limit <number>', sentence: 'How many. Without it: 50.', number: [1, 1000] },
    { flags: '--before <id>', sentence: 'Only records older than this one: the next page.', number: largestId },
  ],
  details:
    'With --json: `records`, and `next`, the id for --before to get the next page, or null if there are no more. ' +
    'docs/audit.md explains each event.',
  examples: [
    'audit list --account alice --since 7d',
    'audit list --client bookshelf --event client.updated',
    'audit list --limit 200 --json',
  ],
  async run(call) {
    const core = await call.core();
    const filter = await filterOf(call, core);
    const limit = call.number('limit') ?? 50;
    const found = await core.stores.audit.list({ ...filter, before: call.number('before') }, limit);
    const next = found.length === limit ? (found.at(-1)?.id ?? null) : null;
    const rows = found.map((event) => [
      String(event.id),
      exact(event.atMs),
      event.event,
      event.subject ?? '',
      event.clientId ?? '',
      event.address ?? '',
      event.requestId ?? '',
      JSON.stringify(event.detail),
    ]);
    const titles = ['ID', 'TIME', 'EVENT', 'ACCOUNT', 'CLIENT', 'ADDRESS', 'REQUEST', 'DETAIL'];
    const text = table(titles, rows, 'No records match.');
    return done(
      { records: found.map(presented), next },
      next === null ? text : `${text}\n\nFor older records: --before ${next}`,
    );
  },
};

const pageSize = 1000;
/** Milliseconds. Records get their id before their transaction ends, which takes at most as long as a statement may. */
const settled = 10_000;

const exportAll: Command = {
  name: 'export',
  sentence: 'Write audit records as lines of JSON, oldest first.',
  options: [
    ...filterOptions,
    {
      flags: '--after <id>',
      sentence: 'Continue after this record: the last one of the previous export.',
      number: largestId,
    },
  ],
  details:
    'Writes all records to standard output, one per line. Records of the last ten seconds are left to the next export, so that ' +
    'an export with --after misses none.',
  examples: ['audit export', 'audit export --since 2026-11-01 --until 2026-12-01', 'audit export --after 120345'],
  async run(call) {
    const core = await call.core();
    const filter = await filterOf(call, core);
    return exported(call, (after) => core.stores.audit.walk(filter, after, pageSize));
  },
};

async function exported(call: Call, walk: (after: number) => Promise<StoredAuditEvent[]>): Promise<Outcome> {
  const end = nowMs() - settled;
  for (let after: number | undefined = call.number('after') ?? 0; after !== undefined; ) {
    const found: StoredAuditEvent[] = await walk(after);
    // Stops at the first record that is too young: a later id may have an earlier time.
    const young = found.findIndex(({ atMs }) => atMs > end);
    const old = young === -1 ? found : found.slice(0, young);
    const lines = old.map((event) => `${JSON.stringify(presented(event))}\n`).join('');
    if (lines !== '' && !(await call.terminal.write(lines)))
      return refused('not_written', 'Standard output was closed before everything was written.');
    after = young === -1 && found.length === pageSize ? found.at(-1)?.id : undefined;
  }
  return { outcome: 'running' };
}

export const audit: Noun = {
  name: 'audit',
  sentence: 'The audit trail: what people, applications and operators did.',
  commands: [list, exportAll],
};
