import { type Call, type Command, done, type Noun, refused } from '../command.ts';
import { counted, facts } from '../text.ts';

/** Opens only the database, because everything above it may need tables that are still missing. */
async function withMigrations<T>(
  call: Call,
  /** Whether to create a missing database. */
  make: boolean,
  work: (migrate: Awaited<ReturnType<typeof openDatabase>>['migrate']) => Promise<T>,
): Promise<T> {
  const stores = await openDatabase(call, make);
  try {
    return await work(stores.migrate);
  } finally {
    await stores.close();
  }
}

async function openDatabase(call: Call, make: boolean) {
  const { database } = await call.config();
  const { openSql, requireFile } = await import('../../storage/sql/open.ts');
  if (!make && database.kind === 'sqlite') requireFile(database.file);
  return openSql(database, { migrateAtOpen: 'leave' });
}

const up: Command = {
  name: 'up',
  sentence: 'Apply pending migrations. Creates the database if there is none.',
  options: [{ flags: '--to <migration>', sentence: 'Stop after this one: its name or its number.' }],
  details:
    'Every start migrates SQLite. Postgres is migrated by this command, or at start with MIGRATE=true. Only this command ' +
    'and `serve` create a database if there is none.',
  examples: ['migrate up', 'migrate up --to 0001'],
  run: (call) =>
    withMigrations(call, true, async (migrate) => {
      const to = call.text('to');
      const { applied, pending, unknown } = await migrate.status();
      if (to !== undefined && ![...applied, ...pending, ...unknown].some((name) => isNamed(name, to))) {
        return refused('not_found', `There is no migration ${to}. Known: ${[...applied, ...pending].join(', ')}.`);
      }
      const names = await call.terminal.progress('Migrating', () => migrate.up(to === undefined ? {} : { to }));
      return done(
        { applied: names },
        names.length === 0
          ? 'The database is up to date.'
          : `Applied ${counted(names.length, 'migration', 'migrations')}:\n${facts({ '': names })}`,
      );
    }),
};

const down: Command = {
  name: 'down',
  sentence: 'Revert migrations. Data that only they can store is lost.',
  options: [
    { flags: '--steps <n>', sentence: 'How many, newest first. Without it: one.', number: [1, 1000] },
    { flags: '--yes', sentence: 'Do not ask.' },
  ],
  details: 'Make a backup first. On a terminal it asks first. The next start migrates SQLite again.',
  examples: ['migrate down', 'migrate down --steps 2 --yes'],
  run: (call) =>
    withMigrations(call, false, async (migrate) => {
      const steps = call.number('steps') ?? 1;
      const last = (await migrate.status()).applied.slice(-steps).reverse();
      if (last.length > 0 && call.flag('yes') !== true) {
        const sure = await call.terminal.confirm(`Revert ${last.join(', ')} and lose the data stored there?`);
        if (!sure) return refused('cancelled', 'Nothing was changed.');
      }
      const names = await call.terminal.progress('Reverting migrations', () => migrate.down({ steps }));
      return done(
        { takenBack: names },
        names.length === 0
          ? 'There is no migration to revert.'
          : `Reverted ${counted(names.length, 'migration', 'migrations')}:\n${facts({ '': names })}`,
      );
    }),
};

const status: Command = {
  name: 'status',
  sentence: 'Show which migrations are applied and which are pending.',
  examples: ['migrate status', 'migrate status --json'],
  run: (call) =>
    withMigrations(call, false, async (migrate) => {
      const { applied, pending, unknown } = await migrate.status();
      const text = facts({
        Applied: applied.length > 0 ? applied : 'none',
        Pending: pending.length > 0 ? pending : 'none',
        'Of a newer version': unknown,
      });
      return done({ applied: [...applied], pending: [...pending], unknown: [...unknown] }, text);
    }),
};

function isNamed(name: string, text: string): boolean {
  return name === text || name.startsWith(`${text}-`);
}

export const migrate: Noun = {
  name: 'migrate',
  sentence: 'The version of the database.',
  commands: [up, down, status],
};
