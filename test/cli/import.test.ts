/** `accounts import`, as an admin runs it beside a server, and what becomes of the people whom it brought. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Account } from '../../src/core/stores/accounts.ts';
import type { TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-import-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileOf(...lines: (object | string)[]): string {
  const path = join(folder, `${++files}.jsonl`);
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return path;
}

/** All of this one, in four ways. */
const phrase = 'wet gravel under boots';
const hashes = {
  bcrypt: '$2b$04$JonzrvGBwEUIfp1QaceKtueAA5HeaZndqocnKytCm3dShUGb8bdXm',
  pbkdf2: 'pbkdf2_sha256$1000$8eQwRW3g7qzk$eZQ9Tb1UsxLIJ4JxsV0WlxQVRYhNPHjnV8p4ps3ku7A=',
  scrypt: '$scrypt$ln=8,r=8,p=1$dM75fy8l5FwrBaCUMqY0Rg$8jNY9w/CkkOJxZJBS55m8BEcaMdWwHLnsaSEY+mEtcs',
  argon2: '$argon2i$v=19$m=128,t=3,p=4$c29tZXNhbHQxMjM0NTY3OA$Lapovrk2v/KY/uiCTLdjMeTBb/7MHvJr',
} as const;

describeStorages('an import', (storage) => {
  let server: TestServer;
  let cli: CommandLine;
  beforeAll(async () => {
    server = await storage.start({
      ...{ THROTTLE_ACCOUNT_LIMIT: '3', THROTTLE_ADDRESS_LIMIT: '1000' },
      ...{ PASSWORD_HASH_MEMORY: '7168', PASSWORD_HASH_TIME: '1' },
    });
    cli = commandLine(server.env);
  });
  afterAll(() => server.close());

  const find = (username: string): Promise<Account | undefined> => server.core.accounts.findByUsername(username);

  async function accountOf(username: string): Promise<Account> {
    const account = await find(username);
    if (account === undefined) throw new Error(`${username} is not there`);
    return account;
  }

  /** Through a door of the server. */
  async function login(username: string, password: string) {
    const answer = await fetch(`${server.url}/v1/login`, {
      headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
    });
    await answer.body?.cancel();
    return answer.status;
  }

  test('brings everything that a line says', async () => {
    const path = fileOf(
      {
        username: 'Ada',
        first_name: 'Ada',
        last_name: 'Lovelace',
        email: 'ada@example.org',
        verified: true,
        password_hash: hashes.bcrypt,
        admin: true,
      },
      '',
      { username: 'blank', first_name: null, email: null, password_hash: null, disabled: true },
      { username: 'mail@example.org', verified: true },
    );
    expect(await cli.json('accounts', 'import', path)).toEqual({
      imported: 3,
      existing: 0,
      refused: 0,
      dryRun: false,
    });
    expect(await find('ada')).toMatchObject({
      username: 'Ada',
      firstName: 'Ada',
      lastName: 'Lovelace',
      email: 'ada@example.org',
      verified: true,
      twoFactor: false,
      admin: true,
      disabledAt: null,
      passwordHash: `imported:${hashes.bcrypt}`,
    });
    expect(await find('blank')).toMatchObject({
      firstName: '',
      lastName: '',
      email: null,
      verified: false,
      admin: false,
      disabledAt: expect.any(Number),
      passwordHash: null,
    });
    // A username that is a proved address has that address.
    expect(await find('mail@example.org')).toMatchObject({ email: 'mail@example.org', verified: true });
    const { subject } = await accountOf('ada');
    const events = await server.core.stores.audit.list({ event: 'account.created' }, 100);
    expect(events.find((event) => event.subject === subject)?.detail).toEqual({ via: 'cli', imported: 'bcrypt' });
  });

  describe.each(Object.entries(hashes))('a person with %s', (algorithm, hash) => {
    const username = `${algorithm}-person`;
    beforeAll(async () => {
      await cli.json('accounts', 'import', fileOf({ username, password_hash: hash }));
    });

    test('is refused with another password, and the attempts count', async () => {
      const imported = (await accountOf(username)).passwordHash;
      expect(await login(username, 'dry gravel under boots')).toBe(401);
      expect((await accountOf(username)).passwordHash).toBe(imported);
      const locked = `${username}-locked`;
      await cli.json('accounts', 'import', fileOf({ username: locked, password_hash: hash }));
      for (let n = 0; n < 3; n++) expect(await login(locked, `wrong ${n}`)).toBe(401);
      expect(await login(locked, phrase)).toBe(429);
    });

    test('signs in, and has a hash of ours from then on', async () => {
      expect(await login(username, phrase)).toBe(200);
      const { passwordHash } = await accountOf(username);
      expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=7168,t=1,p=1\$/);
      expect(await login(username, phrase)).toBe(200);
      expect((await accountOf(username)).passwordHash).toBe(passwordHash);
      expect(await login(username, 'dry gravel under boots')).toBe(401);
    });

    test('signs in from two places at once the first time', async () => {
      const twice = `${username}-twice`;
      await cli.json('accounts', 'import', fileOf({ username: twice, password_hash: hash }));
      expect(await Promise.all([login(twice, phrase), login(twice, phrase)])).toEqual([200, 200]);
      expect((await accountOf(twice)).passwordHash).toMatch(/^\$argon2id\$/);
    });
  });

  test('a disabled one stays out, with the right password too', async () => {
    await cli.json('accounts', 'import', fileOf({ username: 'gone', password_hash: hashes.bcrypt, disabled: true }));
    expect(await login('gone', phrase)).toBe(401);
  });

  test('run again, leaves everybody as they are', async () => {
    const path = fileOf({ username: 'Once', password_hash: hashes.bcrypt }, { username: 'later' });
    expect(await cli.json('accounts', 'import', path)).toMatchObject({ imported: 2, existing: 0 });
    expect(await login('once', phrase)).toBe(200);
    const before = await find('once');
    expect(await cli.json('accounts', 'import', path)).toMatchObject({ imported: 0, existing: 2, refused: 0 });
    expect((await find('once'))?.passwordHash).toBe(before?.passwordHash);
    expect((await cli('accounts', 'import', path)).out).toBe(
      '0 accounts were imported, 2 existed already, 0 lines were refused.\n',
    );
  });

  test('a dry run says the same and changes nothing', async () => {
    const path = fileOf(
      { username: 'dry-one', password_hash: hashes.bcrypt },
      { username: 'DRY-ONE' },
      { username: 'ada' },
      { username: 'dry-two', email: 'ada@example.org' },
    );
    const before = await server.core.stores.accounts.count();
    const answer = await cli('accounts', 'import', path, '--dry-run', '--json');
    expect(answer.code).toBe(1);
    expect(JSON.parse(answer.err)).toMatchObject({
      error: 'lines_refused',
      imported: 1,
      existing: 1,
      refused: 2,
      dryRun: true,
      lines: [
        { line: 2, message: expect.stringContaining('earlier line') },
        { line: 4, message: expect.stringContaining('another account') },
      ],
    });
    expect(await server.core.stores.accounts.count()).toBe(before);
  });

  test('what is wrong is said line by line, and the others are imported', async () => {
    const path = fileOf(
      { username: 'good-one', password_hash: hashes.bcrypt },
      '{"username": "bare-hash", "password_hash": $2b$04$abc}',
      '["a list"]',
      { first_name: 'Nameless' },
      { username: 'typo', passwordhash: hashes.bcrypt },
      { username: 'wrong:name' },
      { username: 'wrong-kind', verified: 'yes' },
      { username: 'wrong-hash', password_hash: '5f4dcc3b5aa765d61d8327deb882cf99' },
      { username: 'too-dear', password_hash: hashes.bcrypt.replace('$04$', '$20$') },
      { username: 'Good-One' },
      { username: 'ada@example.org', verified: true },
      `{"username":"${'x'.repeat(70_000)}"}`,
      { username: 'eve@example.org' },
      { username: 'eve@example.org', email: 'else@example.org', verified: true },
      { username: 'good-three.' },
      { username: 'ev\u0435' },
      { username: 'good-two' },
    );
    const answer = await cli('accounts', 'import', path);
    expect(answer).toMatchObject({ code: 1, out: '' });
    const lines = answer.err.trimEnd().split('\n');
    expect(lines[0]).toBe('2 accounts were imported, 0 existed already, 15 lines were refused.');
    const expected: [number, RegExp][] = [
      [2, /It is not JSON/],
      [3, /expected object/],
      [4, /username/],
      [5, /passwordhash/],
      [6, /\("wrong:name"\): The username was refused/],
      [7, /verified/],
      [8, /none of the hashes/],
      [9, /too much time or memory/],
      [10, /earlier line/],
      [11, /belongs to another account/],
      [12, /longer than/],
      [13, /looks like an e-mail address that this account has not confirmed/],
      [14, /looks like an e-mail address that this account has not confirmed/],
      [15, /ends with a dot/],
      [16, /mixes Latin letters/],
    ];
    expect(lines).toHaveLength(expected.length + 1);
    for (const [at, [line, sentence]] of expected.entries()) {
      expect(lines[at + 1]).toMatch(new RegExp(`^  line ${line}\\b.*${sentence.source}`));
    }
    expect(answer.err).not.toContain('$2b$');
    expect(await find('good-one')).toBeDefined();
    expect(await find('good-two')).toBeDefined();
    expect(await find('typo')).toBeUndefined();
  });

  test('standard input, a last line without an end, a byte order mark, and lines of many chunks', async () => {
    const lines = Array.from({ length: 2500 }, (_, n) =>
      JSON.stringify({ username: `many-${n}`, last_name: 'Ł'.repeat(40), password_hash: hashes.scrypt }),
    );
    const answer = await cli.fed(`\uFEFF${lines.join('\r\n')}`, 'accounts', 'import', '-', '--json');
    expect(JSON.parse(answer.out)).toMatchObject({ imported: 2500, refused: 0 });
    expect(await find('many-2499')).toMatchObject({ lastName: 'Ł'.repeat(40) });
  });

  test('a file that is not there is a mistake in the command', async () => {
    const answer = await cli('accounts', 'import', join(folder, 'nowhere.jsonl'));
    expect(answer).toMatchObject({ code: 2, err: expect.stringContaining('ENOENT') });
  });
});
