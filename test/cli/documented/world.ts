/** The place in which documented commands run: what their readers have, under the names that the pages use. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSmtp } from '../../support/mail.ts';
import { commandLine } from '../command-line.ts';
import type { Answered, Asked } from './many.ts';

const settings = {
  ISSUER: 'http://localhost:3999',
  MAIL_FROM: 'Gatehouse <gatehouse@example.com>',
  PASSWORD_HASH_MEMORY: '8192',
  PASSWORD_HASH_TIME: '1',
};
const password = 'nine pears above water';
const files = {
  'password.txt': `${password}\n`,
  'bookshelf.json': JSON.stringify({ client_name: 'Bookshelf', redirect_uris: ['https://app.example.com/callback'] }),
  'client.json': JSON.stringify({
    client_id: 'https://agent.example/client.json',
    client_name: 'Agent',
    redirect_uris: ['https://agent.example/cb'],
  }),
  'orders.json': JSON.stringify({
    identifier: 'https://orders.example.org',
    name: 'Orders',
    scopes: [{ name: 'orders:list', sentence: 'See your orders.' }],
  }),
  'people.jsonl': '{"username":"grace"}\n',
};

export interface Documented {
  /** A folder of its own for one command: with an API, a client and a person, or with none of them. */
  folder(kind: 'seeded' | 'empty'): string;
  run(asked: readonly Asked[]): Promise<Answered[]>;
  /** As a process of its own, with something on standard input. */
  fed(folder: string, input: string, args: readonly string[]): Promise<Answered>;
  close(): Promise<void>;
}

export const typedPassword = `${password}\n`;

export async function buildWorld(): Promise<Documented> {
  const mails = await startSmtp();
  const env = { ...settings, SMTP_URL: `smtp://127.0.0.1:${mails.port}?tls=unverified` };
  const cliIn = (folder: string) => commandLine({ ...env, DATA_DIR: join(folder, 'data') });
  const place = mkdtempSync(join(tmpdir(), 'gatehouse-documented-'));
  const template = (kind: string) => join(place, kind);
  for (const kind of ['empty', 'seeded']) {
    mkdirSync(template(kind));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(template(kind), name), text);
    await cliIn(template(kind)).json('migrate', 'up');
  }
  const seed = cliIn(template('seeded'));
  const orders = [
    '--name',
    'Orders',
    '--scope',
    'orders:read=See your orders.',
    '--scope',
    'orders:write=Change them.',
  ];
  await seed.json('apis', 'add', 'https://orders.example.com', ...orders);
  const web = [
    '--scope',
    'openid orders:read orders:write',
    '--name',
    'Bookshelf',
    '--redirect-uri',
    'https://app.example.com/callback',
  ];
  await seed.json('clients', 'register', '--id', 'bookshelf', ...web);
  const made = await seed.fed(password, 'accounts', 'create', 'alice', ...alice, '--password-stdin');
  if (made.code !== 0) throw new Error(made.err);
  await seed.json('groups', 'add', 'editors');
  await seed.json('groups', 'join', 'editors', 'alice');
  let count = 0;
  return {
    folder(kind) {
      count += 1;
      const folder = join(place, String(count));
      cpSync(template(kind), folder, { recursive: true });
      return folder;
    },
    run: (asked) => many(asked, join(place, 'answers.json'), env),
    async fed(folder, input, args) {
      const { code, err } = await cliIn(folder).fed(input, ...args);
      return { code: code ?? -1, problem: err };
    },
    async close() {
      await mails.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

const alice = ['--email', 'alice@example.com', '--verified'];

async function many(asked: readonly Asked[], file: string, env: Readonly<Record<string, string>>): Promise<Answered[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'many.ts'), file], {
    env: { PATH: process.env.PATH ?? '', ...env },
    // A command that waits for what never comes ends here, and not with the whole run.
    signal: AbortSignal.timeout(100_000),
  });
  let printed = '';
  child.stdout.resume();
  child.stderr.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-2000);
  });
  child.stdin.end(JSON.stringify(asked));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${code} ${printed}`);
  return JSON.parse(readFileSync(file, 'utf8')) as Answered[];
}
