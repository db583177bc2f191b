/**
 * docs/backup.md, run as it is written: a back-up while people sign up and in, the loss, the restore, and a sign-in.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { blocksOf } from '../cli/documented/shell.ts';
import { type ChildServer, createPlace, startChild } from '../support/child-server.ts';
import { describePostgres, freshPostgres } from '../support/databases.ts';

const blocks = blocksOf('docs/backup.md').map(({ code }) => code);

async function runBlock(title: string, folder: string, env: Readonly<Record<string, string>>): Promise<void> {
  const code = blocks.find((block) => block.startsWith(`# ${title}\n`)) ?? `echo no block ${title}; exit 1`;
  // `npx node` is the Node that runs this test.
  const commands = ['set -euo pipefail', 'npx() { "$@"; }', code].join('\n');
  const path = [dirname(process.execPath), process.env.PATH ?? ''].join(':');
  await promisify(execFile)('bash', ['--norc', '-c', commands], { cwd: folder, env: { PATH: path, ...env } });
}

const call = (server: ChildServer, method: string, route: string, authorization: string) =>
  fetch(`${server.url}/v1/${route}`, { method, headers: { authorization } });
const basic = (name: string) => `Basic ${Buffer.from(`${name}:seven lemons under glass`).toString('base64')}`;
const register = async (server: ChildServer, name: string) =>
  (await call(server, 'POST', 'register', basic(name))).status;
const signIn = (server: ChildServer, name: string) => call(server, 'GET', 'login', basic(name));
const isGood = async (server: ChildServer, jwt: string) =>
  (await call(server, 'POST', 'verify', `Bearer ${jwt}`)).status === 200;

interface Tried {
  readonly folder: string;
  readonly database: 'SQLite' | 'Postgres';
  readonly env?: Readonly<Record<string, string>>;
  /** What is lost; its answer is the environment of what comes after. */
  lose(): Promise<Readonly<Record<string, string>>>;
}

async function survives({ folder, database, env = {}, lose }: Tried): Promise<void> {
  const place = await createPlace({ dataDir: join(folder, 'data'), databaseUrl: env.DATABASE_URL });
  // On SQLite the keys are in files, as after a first start.
  const { SECRET_KEY = '', ...rest } = place.env;
  const start = (now: Readonly<Record<string, string>>) =>
    startChild({ ...place, env: { ...rest, ...(database === 'SQLite' ? {} : { SECRET_KEY }), ...now } });
  let server = await start(env);
  try {
    expect(await register(server, 'ada')).toBe(200);
    const { jwt } = (await (await signIn(server, 'ada')).json()) as { jwt: { token: string } };
    let running = true;
    const traffic = (async () => {
      const answers = [];
      while (running) answers.push(await register(server, `guest-${answers.length}`));
      return answers;
    })();
    await runBlock(`Back up: ${database}`, folder, env).finally(() => {
      running = false;
    });
    expect(new Set(await traffic)).toEqual(new Set([200]));
    expect(await register(server, 'later')).toBe(200);
    await server.end('SIGKILL');

    const after = await lose();
    const [copy = ''] = readdirSync(join(folder, 'backup'));
    await runBlock(`Restore: ${database}`, folder, { FOLDER: `backup/${copy}`, ...after });
    server = await start(after);
    expect((await signIn(server, 'ada')).status).toBe(200);
    expect(await isGood(server, jwt.token)).toBe(true);
    expect((await signIn(server, 'later')).status).toBe(404);
    expect(await register(server, 'later')).toBe(200);
  } finally {
    await server.end('SIGTERM');
  }
}

const scratch = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

test.each([
  ['over a database that is still there', false],
  ['after the whole folder was lost', true],
])('SQLite: back-up while it runs, restore %s, sign in', (_what, isLost) =>
  scratch((folder) =>
    survives({
      folder,
      database: 'SQLite',
      async lose() {
        if (isLost) rmSync(join(folder, 'data'), { recursive: true });
        return {};
      },
    }),
  ),
);

// pg_dump and pg_restore come with Postgres.
describePostgres('Postgres', () => {
  test('back-up while it runs, restore into an empty database, sign in', () =>
    scratch(async (folder) => {
      const [first, second] = [await freshPostgres(), await freshPostgres()];
      try {
        await survives({
          folder,
          database: 'Postgres',
          env: { DATABASE_URL: first.url },
          async lose() {
            return { DATABASE_URL: second.url };
          },
        });
      } finally {
        await Promise.all([first.drop(), second.drop()]);
      }
    }));
});
