/**
 * R6: why a start, or a command, finds no database: the cause, where and as whom, and the setting. Each by a real
 * server.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { openSql } from '../../src/storage/sql/open.ts';
import { describePostgres, freshPostgres, type TestDatabase } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { describePgbouncer, type Pgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { failedStart } from '../support/program.ts';
import { startServer } from '../support/server.ts';

const password = 'hunter2-of-postgres';
const base = { SECRET_KEY: 'a-secret-key-for-tests-0123456789abcdef', MIGRATE: 'true' };
const programs: readonly (readonly [string, readonly string[]])[] = [
  ['the server', ['src/main.ts']],
  ['a command', ['src/cli/main.ts', 'accounts', 'list']],
  ['migrate', ['src/cli/main.ts', 'migrate', 'status']],
];

/** What each program says of this address, one after the other. */
async function toldOf(url: string): Promise<string[]> {
  const said: string[] = [];
  for (const [, words] of programs) {
    const { code, out, err } = await failedStart({ ...base, DATABASE_URL: url }, { words });
    expect([code, out]).toEqual([1, '']);
    expect(err).not.toMatch(/^\s+at |Internal error|does not answer\. Check/m);
    expect(err).not.toContain(password);
    said.push(err.trim());
  }
  return said;
}

const thrice = (text: string): string[] => programs.map(() => text);

describePostgres('R6: a Postgres that does not let this server in', () => {
  const role = `gatehouse_role_${randomBytes(4).toString('hex')}`;
  let database: TestDatabase;
  let address: URL;
  let where: string;
  const asRole = (change: (url: URL) => void = () => {}): string => {
    const url = new URL(address);
    [url.username, url.password] = [role, password];
    change(url);
    return url.href;
  };
  const onServer = async (command: string): Promise<void> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query(command);
    await client.end();
  };

  beforeAll(async () => {
    database = await freshPostgres();
    address = new URL(database.url);
    where = `${address.hostname}:${address.port || '5432'}`;
    await onServer(`create role ${role} login password '${password}'`);
  });
  afterAll(async () => {
    await onServer(`drop role ${role}`);
    await database.drop();
  });

  test('a wrong password', async () => {
    const url = asRole((one) => {
      one.password = `wrong-${password}`;
    });
    const text = `Postgres at ${where} refuses the password of the user "${role}". Correct DATABASE_URL.`;
    expect(await toldOf(url)).toEqual(thrice(text));
  });

  test('no such database', async () => {
    const url = asRole((one) => {
      one.pathname = '/no_such_database';
    });
    const text = `Postgres at ${where} has no database "no_such_database". Create it, or correct its name in DATABASE_URL.`;
    expect(await toldOf(url)).toEqual(thrice(text));
  });

  test('no password in the address', async () => {
    const text = `Postgres at ${where} requires a password, but DATABASE_URL has none for the user "${role}". Correct DATABASE_URL.`;
    const url = asRole((one) => {
      one.password = '';
    });
    expect(await toldOf(url)).toEqual(thrice(text));
  });

  test('a server without TLS where TLS is asked for', async () => {
    const text = `Postgres at ${where} does not support TLS, but DATABASE_URL requires it (sslmode).`;
    expect(await toldOf(asRole((one) => one.searchParams.set('sslmode', 'verify-full')))).toEqual(thrice(text));
  });

  test('a user who may not make tables', async () => {
    const { code, err } = await failedStart({ ...base, DATABASE_URL: asRole() });
    expect(code).toBe(1);
    expect(err).toContain(
      `Postgres at ${where} denies the user "${role}" this operation in the database "${address.pathname.slice(1)}"`,
    );
    expect(err).toContain('permission denied for schema public');
    expect(err).not.toMatch(/create table/i);
  });

  test('while it runs the log names the cause, and the answer does not', async () => {
    const server = await startServer({ env: { ...base, DATABASE_URL: database.url } });
    try {
      const admin = new URL(database.url);
      admin.pathname = '/postgres';
      const name = address.pathname.slice(1);
      const client = new pg.Client({ connectionString: admin.href });
      await client.connect();
      // As if it had been dropped under the server.
      await client.query(`alter database ${name} with allow_connections false`);
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      await client.query(`alter database ${name} rename to ${name}_away`);
      try {
        const answer = await fetch(`${server.url}/v1/login`, {
          headers: { authorization: `Basic ${Buffer.from('ada:some long password').toString('base64')}` },
        });
        const text = await answer.text();
        expect(answer.status).toBe(503);
        expect(text).not.toMatch(/Postgres|database|5432/);
        const reason = `Postgres at ${where} has no database \\"${name}\\"`;
        expect(server.logged.some((line) => line.includes(reason) || line.includes(reason.replaceAll('\\', '')))).toBe(
          true,
        );
        expect(server.logged.join('')).not.toContain(decodeURIComponent(address.password));
      } finally {
        await client.query(`alter database ${name}_away rename to ${name}`);
        await client.query(`alter database ${name} with allow_connections true`);
        await client.end();
      }
    } finally {
      await server.close();
    }
  });
});

describePgbouncer('R6: a PgBouncer that does not let this server in', () => {
  let database: TestDatabase;
  let pooler: Pgbouncer;
  beforeAll(async () => {
    database = await freshPostgres();
    pooler = await startPgbouncer(database.url);
  });
  afterAll(async () => {
    await pooler.close();
    await database.drop();
  });
  const through = (change: (url: URL) => void): URL => {
    const url = new URL(pooler.through(database.url));
    change(url);
    return url;
  };

  test('a wrong password', async () => {
    const url = through((one) => {
      one.password = `wrong-${password}`;
    });
    const text = `Postgres at ${url.host} refuses the password of the user "${url.username}". Correct DATABASE_URL.`;
    expect(await toldOf(url.href)).toEqual(thrice(text));
  });

  test('no such database', async () => {
    const url = through((one) => {
      one.pathname = '/no_such_database';
    });
    const text = `The pooler at ${url.host} refuses the connection (database "no_such_database" does not exist). Correct DATABASE_URL, or the pooler.`;
    // Once: for a while it lets the next ones wait.
    expect((await failedStart({ ...base, DATABASE_URL: url.href })).err.trim()).toBe(text);
  });
});

describe('R6: no Postgres', () => {
  test('at the host', async () => {
    const port = await freePort();
    const text = `Nothing listens at 127.0.0.1:${port} (ECONNREFUSED). Start Postgres there, or correct DATABASE_URL.`;
    expect(await toldOf(`postgres://gatehouse:${password}@127.0.0.1:${port}/gatehouse`)).toEqual(thrice(text));
    // A name with two addresses gives two errors in one.
    const named = `Nothing listens at localhost:${port} (ECONNREFUSED). Start Postgres there, or correct DATABASE_URL.`;
    expect(await toldOf(`postgres://gatehouse:${password}@localhost:${port}/gatehouse`)).toEqual(thrice(named));
  });

  test('and a bare percent sign in the address is taken as it is', async () => {
    const port = await freePort();
    const text = `Nothing listens at 127.0.0.1:${port} (ECONNREFUSED). Start Postgres there, or correct DATABASE_URL.`;
    expect(await toldOf(`postgres://50%gate:${password}@127.0.0.1:${port}/100%`)).toEqual(thrice(text));
  });

  test('and a certificate that is not there is no silence', async () => {
    const text =
      '/no/such/ca.pem, which DATABASE_URL names, cannot be read (ENOENT). Correct DATABASE_URL, or the file.';
    const url = `postgres://gatehouse:${password}@127.0.0.1/gatehouse?sslrootcert=/no/such/ca.pem`;
    expect(await toldOf(url)).toEqual(thrice(text));
  });

  test('and no such host', async () => {
    const [one = ''] = await toldOf(`postgres://gatehouse:${password}@db.invalid/gatehouse`);
    expect(one).toMatch(/^The host "db\.invalid" has no address \((ENOTFOUND|EAI_AGAIN)\)\. Correct DATABASE_URL/);
  });

  test('but something that takes connections and says nothing', async () => {
    await answering(
      () => {},
      async (port) => {
        const url = `postgres://gatehouse:${password}@127.0.0.1:${port}/x`;
        await expect(openSql({ kind: 'postgres', url, pool: 1 })).rejects.toMatchObject({
          name: 'Unavailable',
          reason: expect.stringContaining(`Postgres at 127.0.0.1:${port} does not answer in time.`),
        });
      },
    );
  });
});

describe('R6: a Postgres whose certificate is unknown', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is not trusted, and said to be so', async () => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
    execFileSync('openssl', [...words, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const secureContext = createSecureContext({ key: readFileSync(key), cert: readFileSync(cert) });
    // Postgres' own beginning: the client asks for TLS, and `S` says yes.
    const greet = (socket: Socket): void => {
      socket.once('data', () => {
        socket.write('S');
        new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => {});
      });
    };
    await answering(greet, async (port) => {
      const url = `postgres://gatehouse:${password}@localhost:${port}/gatehouse?sslmode=verify-full`;
      for (const said of await toldOf(url)) {
        expect(said).toBe(
          `The certificate of Postgres at localhost:${port} is not trusted: it is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT). ` +
            'Add its certificate authority to DATABASE_URL (sslrootcert=…) or to NODE_EXTRA_CA_CERTS.',
        );
      }
    });
  });
});

/** A server that does this with each connection, for as long as `work` takes. */
async function answering(greet: (socket: Socket) => void, work: (port: number) => Promise<void>): Promise<void> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  try {
    await work(port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe('R6: SQLite', () => {
  test('a file that is no database is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'));
    try {
      writeFileSync(join(folder, 'gatehouse.sqlite'), 'this is a text, and no database, '.repeat(100));
      for (const [, words] of programs) {
        const { code, err } = await failedStart({ DATA_DIR: folder }, { words });
        expect([code, err.trim()]).toEqual([1, `${folder}/gatehouse.sqlite is not a SQLite database. Check DATA_DIR.`]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
