/** `accounts update|promote|demote`, attributes at `create` and `import`, and `groups`, beside a running server. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { claimsOf, tokensFor, userinfo } from '../support/flow.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

describeStorages('the command line for people', (storage) => {
  let server: TestServer;
  let cli: CommandLine;
  beforeAll(async () => {
    server = await storage.start();
    cli = commandLine(server.env);
  });
  afterAll(() => server.close());

  const accountOf = (username: string) => server.core.accounts.findByUsername(username);

  test('create and update: attributes, a value taken away, what changed', async () => {
    const made = await cli.json(
      'accounts',
      'create',
      'ada',
      '--no-password',
      '--picture',
      'https://x.example/a',
      '--locale',
      'EN-gb',
      '--phone',
      '+44 20 7946 0958',
      '--phone-verified',
      '--country',
      'UK',
    );
    expect(made).toMatchObject({
      picture: 'https://x.example/a',
      locale: 'en-GB',
      phone: '+442079460958',
      phoneVerified: true,
      address: { country: 'UK' },
    });
    const changed = await cli.json(
      'accounts',
      'update',
      'ada',
      '--email',
      'ada@example.org',
      '--verified',
      '--zoneinfo',
      'europe/paris',
      '--picture',
      '',
      '--street-address',
      'Rue 1',
    );
    expect(changed).toMatchObject({
      ...{ email: 'ada@example.org', verified: true, zoneinfo: 'Europe/Paris', picture: null },
      address: { country: 'UK', street_address: 'Rue 1' },
      changed: ['email', 'verified', 'picture', 'zoneinfo', 'address'],
    });
    const shown = (await cli('accounts', 'show', 'ada')).out;
    for (const text of ['+442079460958 (verified)', 'Europe/Paris', 'Rue 1', 'en-GB']) expect(shown).toContain(text);
    // The running server reads the same.
    expect(await accountOf('ada')).toMatchObject({ zoneinfo: 'Europe/Paris', verified: true });
  });

  describe('mistakes are named', () => {
    test.each<[string[], number, string]>([
      [['update', 'bob'], 2, 'Nothing to change'],
      [
        ['update', 'bob', '--zoneinfo', 'Mars/Olympus'],
        1,
        'The time zone was refused. It is not a time zone of the IANA database',
      ],
      [
        ['update', 'bob', '--picture', 'http://x.example/'],
        1,
        'The picture was refused. It must be an absolute https URL',
      ],
      [['update', 'bob', '--phone', '12'], 1, 'The phone number was refused.'],
      [['update', 'bob', '--locale', '!!'], 1, 'The language was refused.'],
      [['update', 'bob', '--username', 'pаypal'], 1, 'The username was refused. It mixes Latin letters'],
      [['update', 'bob', '--username', 'CAROL'], 1, 'The username is taken.'],
      [['update', 'bob', '--phone-verified'], 1, 'bob has no phone number.'],
      [['update', 'no-one', '--country', 'X'], 1, 'There is no account no-one. See: accounts list'],
      [['create', 'dave', '--no-password', '--phone-verified'], 2, '--phone-verified needs a --phone.'],
      [['create', 'dave', '--no-password', '--locale', '!!'], 1, 'The language was refused.'],
      [['demote', 'no-one'], 1, 'There is no account no-one.'],
    ])('%j', async (args, code, message) => {
      for (const username of ['bob', 'carol'])
        if (!(await accountOf(username))) await buildPerson(server, { username, email: `${username}@x.example` });
      const answer = await cli('accounts', ...args);
      expect([answer.code, answer.err]).toEqual([code, expect.stringContaining(message)]);
      expect(await accountOf('dave')).toBeUndefined();
    });
  });

  test('promote and demote; the only administrator stays', async () => {
    const [first, second] = [await buildPerson(server), await buildPerson(server)];
    expect((await cli('accounts', 'promote', first.username)).out).toContain('is an administrator');
    expect(await accountOf(first.username)).toMatchObject({ admin: true });
    expect((await cli('accounts', 'promote', first.username)).out).toContain('is already an administrator');
    const last = await cli('accounts', 'demote', first.username);
    expect([last.code, last.err]).toEqual([1, expect.stringContaining('the only enabled administrator')]);
    expect((await cli('accounts', 'update', first.username, '--no-admin')).code).toBe(1);
    await cli('accounts', 'update', second.username, '--admin');
    expect(await cli.json('accounts', 'demote', first.username)).toMatchObject({ admin: false });
    expect(await accountOf(second.username)).toMatchObject({ admin: true });
  });

  test('import: attributes as OpenID Connect calls them; a line with a wrong one is refused by name', async () => {
    const path = join(server.dataDir, 'people.jsonl');
    const lines = [
      {
        username: 'imported',
        picture: 'https://x.example/i',
        locale: 'de',
        zoneinfo: 'UTC',
        phone_number: '+49 30 123456',
        phone_number_verified: true,
        address: { locality: 'Berlin', region: null },
      },
      { username: 'wrong', zoneinfo: 'Mars/Olympus' },
      { username: 'unknown', address: { planet: 'Mars' } },
    ];
    writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'));
    const answer = await cli('accounts', 'import', path, '--json');
    expect(JSON.parse(answer.err || answer.out)).toMatchObject({
      ...{ imported: 1, refused: 2 },
      lines: [
        { line: 2, message: expect.stringContaining('The time zone was refused.') },
        { line: 3, message: expect.stringContaining('address') },
      ],
    });
    expect(await accountOf('imported')).toMatchObject({
      ...{ picture: 'https://x.example/i', locale: 'de', zoneinfo: 'UTC', phone: '+4930123456', phoneVerified: true },
      address: { locality: 'Berlin' },
    });
  });

  test('groups: made, joined, told to an application at once, renamed, left, removed, all on record', async () => {
    const person = await buildPerson(server);
    const { id } = await cli.json<{ id: string }>('groups', 'add', 'Editors', '--description', 'May publish.');
    expect((await cli('groups', 'add', 'ＥＤＩＴＯＲＳ')).err).toContain('Another group has this name');
    expect((await cli('groups', 'add', ' ')).err).toContain('It is empty.');
    const client = await buildClient(server);
    const { body } = await tokensFor(server, client, { person, scope: 'openid groups' });
    expect(claimsOf(body.id_token)).not.toHaveProperty('groups');
    const groups = async () =>
      ((await (await userinfo(server, body.access_token)).json()) as { groups?: string[] }).groups;
    expect(await cli.json('groups', 'join', 'editors', person.username)).toMatchObject({ member: true, changed: true });
    expect(await groups()).toEqual(['Editors']);
    expect(await cli.json('groups', 'join', `id:${id}`, person.username)).toMatchObject({ changed: false });
    expect(await cli.json('groups', 'members', 'editors')).toMatchObject([{ username: person.username }]);
    expect(await cli.json('groups', 'show', 'editors')).toMatchObject({ name: 'Editors', members: 1 });
    expect((await cli('accounts', 'show', person.username)).out).toContain('Editors');
    expect(await cli.json('groups', 'rename', 'editors', 'Publishers')).toMatchObject({
      id,
      name: 'Publishers',
      description: 'May publish.',
    });
    expect(await groups()).toEqual(['Publishers']);
    expect((await cli('groups', 'rename', 'publishers')).code).toBe(2);
    expect((await cli('groups', 'join', 'publishers', 'no-one')).err).toContain('There is no account no-one.');
    expect((await cli('groups', 'join', 'editors', person.username)).err).toContain(
      'There is no group editors. See: groups list',
    );
    expect(await cli.json('groups', 'leave', 'publishers', person.username)).toMatchObject({ changed: true });
    expect(await groups()).toBeUndefined();
    await cli('groups', 'join', 'publishers', person.username);
    expect(await cli.json('groups', 'list')).toMatchObject([{ name: 'Publishers', members: 1 }]);
    expect(await cli.json('groups', 'remove', 'publishers', '--yes')).toMatchObject({ removed: true, members: 1 });
    expect(await groups()).toBeUndefined();
    const events = (await server.core.stores.audit.list({}, 500))
      .filter(({ event }) => event.startsWith('group.'))
      .reverse();
    expect(events.map(({ event }) => event.slice('group.'.length))).toEqual([
      'added',
      'joined',
      'changed',
      'left',
      'joined',
      'removed',
    ]);
    expect(events[2]?.detail).toEqual({ group: id, name: 'Publishers', before: 'Editors', via: 'cli' });
    expect(events[1]).toMatchObject({ subject: person.subject });
  });

  test('clients register --id-token-claims', async () => {
    const register = (...more: string[]) =>
      cli.json('clients', 'register', '--name', 'App', '--redirect-uri', 'https://app.example/cb', ...more);
    expect(await register()).toMatchObject({ id_token_claims: 'standard' });
    expect(await register('--id-token-claims', 'minimal')).toMatchObject({ id_token_claims: 'minimal' });
  });
});
