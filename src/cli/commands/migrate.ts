import { type Call, type Command, done, type Noun, refused } from '../command.ts';
import { counted, facts } from '../text.ts';

/** The database without anything on top of it: what stands on it may need the tables that are still to come. */
async function withMigrations<T>(
  call: Call,
  /** Where there is no database: whether one is made. */
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
  sentence: 'Bring the database up to date, or make it.',
  options: [{ flags: '--to <migration>', sentence: 'Stop after this one: its name or its number.' }],
  details:
    'SQLite is brought up to date by every start; Postgres by this command, or at start with MIGRATE=true. Of all commands only this one ' +
    'and `serve` make a database where there is none.',
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
  sentence: 'Take migrations back, with the data that only they have room for.',
  options: [
    { flags: '--steps <n>', sentence: 'How many, the newest first. Without it: one.', number: [1, 1000] },
    { flags: '--yes', sentence: 'Do not ask.' },
  ],
  details:
    'Make a back-up first. On a terminal it asks before it does so. SQLite is brought up to date again by the next start.',
  examples: ['migrate down', 'migrate down --steps 2 --yes'],
  run: (call) =>
    withMigrations(call, false, async (migrate) => {
      const steps = call.number('steps') ?? 1;
      const last = (await migrate.status()).applied.slice(-steps).reverse();
      if (last.length > 0 && call.flag('yes') !== true) {
        const sure = await call.terminal.confirm(`Take back ${last.join(', ')}, and lose what is stored there?`);
        if (!sure) return refused('cancelled', 'Nothing was changed.');
      }
      const names = await call.terminal.progress('Taking back', () => migrate.down({ steps }));
      return done(
        { takenBack: names },
        names.length === 0
          ? 'There is no migration to take back.'
          : `Took back ${counted(names.length, 'migration', 'migrations')}:\n${facts({ '': names })}`,
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
