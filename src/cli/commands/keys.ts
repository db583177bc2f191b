import type { KeyRing } from '../../core/keys/keys.ts';
import { type Command, done, type Noun, refused, via } from '../command.ts';
import { day, facts, table } from '../text.ts';

const presented = (ring: KeyRing) =>
  ring.map(({ id, algorithm, status, createdAt, currentAt, previousAt }) => ({
    id,
    algorithm,
    status,
    createdAt,
    currentAt,
    previousAt,
  }));

function shown(ring: KeyRing): string {
  return table(
    ['KEY', 'ALGORITHM', 'STATUS', 'MADE', 'SIGNS SINCE', 'REPLACED'],
    ring.map((key) => [key.id, key.algorithm, key.status, day(key.createdAt), day(key.currentAt), day(key.previousAt)]),
    'There are no keys yet.',
  );
}

const list: Command = {
  name: 'list',
  sentence: 'List the signing keys: current, next and previous. Private keys are never shown.',
  examples: ['keys list'],
  async run(call) {
    const ring = (await call.core()).keys.ring();
    return done(presented(ring), shown(ring));
  },
};

const rotate: Command = {
  name: 'rotate',
  sentence: 'Rotate the signing keys: the next keys sign from now on, and new next keys are published.',
  options: [
    {
      flags: '--force',
      sentence:
        'Rotate even if the next keys were not published long enough: clients that cached the old set fail until they reload it.',
    },
  ],
  details:
    'The server rotates its keys every KEY_ROTATION_DAYS. Previous keys stay published until the last token that they signed has expired. ' +
    'Rotate by hand if a private key may have leaked.',
  examples: ['keys rotate', 'keys rotate --force'],
  async run(call) {
    const core = await call.core();
    const forced = call.flag('force') === true;
    const rotated = await call.terminal.progress('Making keys', async () => {
      // A new server has no next keys yet. Without upkeep, the rotation would sign with keys that were never published.
      if (!forced) await core.keys.upkeep();
      return core.keys.rotate({ force: forced });
    });
    if (rotated.outcome === 'too-early') {
      const message = `The next keys have not been published long enough to sign. Wait until ${day(rotated.readyAt)}, or use --force.`;
      return refused('too_early', message, { readyAt: rotated.readyAt });
    }
    await core.changes.changed();
    await core.audit.record('key.rotated', { detail: { ...via, forced } });
    const current = rotated.ring.filter(({ status }) => status === 'current');
    const text = facts(Object.fromEntries(current.map(({ algorithm, id }) => [algorithm, id])));
    return done(presented(rotated.ring), `These keys sign from now on.\n\n${text}`);
  },
};

export const keys: Noun = { name: 'keys', sentence: 'The keys that sign tokens.', commands: [list, rotate] };
