/** Second factors from the command line, beside a running server. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { enrol } from '../support/authenticator.ts';
import { enrolPasskey } from '../support/passkey.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { type CommandLine, commandLine } from './command-line.ts';

let server: TestServer;
let cli: CommandLine;
beforeAll(async () => {
  server = await startServer();
  cli = commandLine(server.env);
});
afterAll(() => server.close());

const signIn = (username: string) =>
  server.core.signIn.signIn({ username, password, address: '::1', via: 'browser', requestId: 'r' });

test('lists what there is, never a secret, and removes it: the running server asks for the password alone', async () => {
  const { subject, username } = await buildPerson(server);
  expect((await cli('accounts', 'factors', username)).out).toBe('The account has no second factor.\n');
  const app = await enrol(server.core.factors, subject, 'Phone');
  expect(await signIn(username)).toMatchObject({ outcome: 'second-factor' });

  const listed = await cli('accounts', 'factors', username);
  expect(listed.out).toMatch(/authenticator app +Phone .* never +active\n\nRecovery codes left: 10\n$/);
  expect(await cli.json('accounts', 'factors', username)).toEqual({
    factors: [
      {
        id: app.factorId,
        kind: 'totp',
        name: 'Phone',
        createdAt: expect.any(Number),
        lastUsedAt: null,
        locked: false,
      },
    ],
    passkeys: [],
    recoveryCodesLeft: 10,
  });
  expect(listed.out).not.toContain(app.secret);
  expect((await cli('accounts', 'show', username)).out).toMatch(/Second factor +yes/);

  expect(await cli.json('accounts', 'remove-factors', username, '--yes')).toEqual({ subject, removed: true });
  expect(await cli.json('accounts', 'remove-factors', username, '--yes')).toEqual({ subject, removed: false });
  expect(await signIn(username)).toMatchObject({ outcome: 'signed-in', amr: ['pwd'] });
  const [record] = await server.core.stores.audit.list({ event: 'factor.removed' }, 1);
  expect(record).toMatchObject({ subject, detail: { via: 'cli', kind: 'all' } });
});

test('passkeys are listed and removed with them, also those of a person without a password', async () => {
  const made = await server.core.accounts.create({ username: 'keys-only', firstName: '', lastName: '' });
  if (made.outcome !== 'created') throw new Error(made.outcome);
  const { subject, username } = made.account;
  const { id } = await enrolPasskey(server.core.passkeys, subject, { origin: server.url, name: 'Laptop' });
  expect((await cli('accounts', 'factors', username)).out).toMatch(/passkey +Laptop .* never +active\n/);
  expect(await cli.json('accounts', 'factors', username)).toMatchObject({
    factors: [],
    passkeys: [{ id, name: 'Laptop' }],
  });
  expect(await cli.json('accounts', 'remove-factors', username, '--yes')).toEqual({ subject, removed: true });
  expect(await server.core.passkeys.list(subject)).toEqual([]);
});

test('an unknown account has none', async () => {
  for (const command of ['factors', 'remove-factors']) {
    const answer = await cli('accounts', command, 'nobody', '--json');
    expect([answer.code, JSON.parse(answer.err || answer.out)]).toMatchObject([1, { error: 'not_found' }]);
  }
});
