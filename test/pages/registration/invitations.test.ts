/** Invitations, and links that an admin hands out on the command line. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Unavailable } from '../../../src/base/errors.ts';
import { commandLine } from '../../cli/command-line.ts';
import { Agent } from '../../support/agent.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { fill, headingOf, type SmtpServer, send, startSmtp } from '../../support/mail.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

describeStorages('invitations', (storage) => {
  let server: TestServer;
  let smtp: SmtpServer;
  let cli: ReturnType<typeof commandLine>;
  beforeAll(async () => {
    smtp = await startSmtp({ hideSTARTTLS: true });
    const env = { SIGN_UP: 'invite', SMTP_URL: `smtp://127.0.0.1:${smtp.port}` };
    server = await storage.start(env);
    cli = commandLine({ ...server.env, ISSUER: server.url });
  });
  afterEach(comeBack);
  afterAll(async () => {
    await server.close();
    await smtp.close();
  });

  let number = 0;
  const fresh = () => {
    number += 1;
    return { username: `guest${number}`, email: `guest${number}@example.org`, password };
  };
  const found = ({ username }: { username: string }) => server.core.accounts.findByUsername(username);
  const invited = async (...options: string[]) =>
    (await cli.json<{ url: string }>('accounts', 'invite', ...options)).url;
  const linkMailedTo = (address: string): string => {
    const mail = smtp.received.findLast(({ to }) => to.includes(address));
    const link = /(http:\S+token=[\w-]+)/.exec(mail?.readable ?? '')?.[1];
    if (link === undefined) throw new Error(`nothing was mailed to ${address}`);
    return link;
  };

  test('a link makes one account, also where only the invited may', async () => {
    const url = await invited();
    expect((await new Agent(server).go('/sign-up')).status).toBe(403);
    expect(headingOf(await new Agent(server).go(url))).toBe('You are invited to <bdi>Gatehouse</bdi>');
    const form = fresh();
    expect(headingOf(await fill(new Agent(server), url, form))).toBe('Check your e-mail');
    expect(await found(form)).toMatchObject({ email: null });
    await server.core.mails.settled();
    expect(linkMailedTo(form.email)).toContain('/verify-email?token=');
    const again = await new Agent(server).go(url);
    expect([again.status, headingOf(again)]).toEqual([410, 'This invitation no longer works']);
    expect(again.text).toContain('href="/account"');
    const events = await server.core.stores.audit.list({ event: 'invitation.used' }, 10);
    expect(events[0]?.subject).toBe((await found(form))?.subject);
  });

  test('an address that is only filled in is not proved by the link', async () => {
    const form = fresh();
    const url = await invited('--email', form.email);
    const page = await new Agent(server).go(url);
    expect(page.text).toContain(`value="${form.email}"`);
    await fill(new Agent(server), url, form);
    expect(await found(form)).toMatchObject({ email: null, verified: false });
  });

  test('a link that was mailed is shown to nobody else, and proves the address it was mailed to', async () => {
    const form = fresh();
    const answer = await cli('accounts', 'invite', '--email', form.email, '--mail');
    expect([answer.code, answer.out.includes('token=')]).toEqual([0, false]);
    const link = linkMailedTo(form.email);
    // Whatever address the form claims.
    await fill(new Agent(server), link, { ...form, email: 'somebody-else@example.org' });
    expect(await found(form)).toMatchObject({ email: form.email, verified: true });
  });

  test('it proves it against one who has only named it; where it is proved already it says so', async () => {
    const form = fresh();
    const squatter = await buildPerson(server, { email: form.email, verified: false });
    await cli.json('accounts', 'invite', '--email', form.email, '--mail');
    await fill(new Agent(server), linkMailedTo(form.email), form);
    expect(await found(form)).toMatchObject({ email: form.email, verified: true });
    expect(await found(squatter)).toMatchObject({ email: null });

    await cli.json('accounts', 'invite', '--email', form.email, '--mail');
    const page = await fill(new Agent(server), linkMailedTo(form.email), fresh());
    expect([page.status, page.text.includes('id="email-error"')]).toEqual([422, true]);
  });

  test('a form that is refused leaves the invitation as it was; of ten at once one is let in', async () => {
    const url = await invited();
    expect((await fill(new Agent(server), url, { ...fresh(), password: 'short' })).status).toBe(422);
    const guests = Array.from({ length: 10 }, () => new Agent(server));
    const pages = await Promise.all(guests.map((guest) => guest.go(url)));
    const answers = await Promise.all(
      guests.map((guest, at) => {
        const page = pages[at];
        if (!page) throw new Error('no page');
        return send(guest, page, fresh());
      }),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 410)).toHaveLength(9);
  });

  const caller = { address: '192.0.2.1', requestId: 'r', via: 'browser' };
  const tokenOf = (link: string) => new URL(link, server.url).searchParams.get('token') ?? '';
  const tokenFor = async (email?: string): Promise<string> => {
    const about = { email, mail: email !== undefined, locale: 'en' };
    const made = await server.core.invitations.invite(about, { via: 'cli' });
    return tokenOf(made.outcome === 'made' ? made.path : linkMailedTo(email ?? ''));
  };
  const accept = (token: string, form: ReturnType<typeof fresh>, on = server) =>
    on.core.invitations.accept(token, form, caller);
  /** What a store does while the database is away. */
  const away = async () => {
    throw new Unavailable('storage');
  };

  test('of two who use it at once on two nodes one is let in; of two who want one name the other keeps theirs', async () => {
    const other = await storage.join(server);
    for (let n = 0; n < 3; n += 1) {
      const token = await tokenFor();
      const both = await Promise.all([accept(token, fresh()), accept(token, fresh(), other)]);
      expect(both.map(({ outcome }) => outcome).sort()).toEqual(['created', 'gone']);

      const tokens = [await tokenFor(), await tokenFor()];
      const form = fresh();
      const [a, b] = await Promise.all([accept(tokens[0] ?? '', form), accept(tokens[1] ?? '', form, other)]);
      expect([a?.outcome, b?.outcome].sort()).toEqual(['created', 'taken']);
      const left = tokens[a?.outcome === 'taken' ? 0 : 1] ?? '';
      expect((await accept(left, fresh(), other)).outcome).toBe('created');
    }
  });

  test('a database that goes away meanwhile does not cost the invitation', async () => {
    const token = await tokenFor();
    const { accounts, links } = server.core.stores;
    const { insert, insertInvited } = accounts;
    const { insert: insertLink } = links;
    Object.assign(accounts, { insert: away, insertInvited: away });
    Object.assign(links, { insert: away });
    try {
      await expect(accept(token, fresh())).rejects.toThrow(Unavailable);
    } finally {
      Object.assign(accounts, { insert, insertInvited });
      Object.assign(links, { insert: insertLink });
    }
    expect((await accept(token, fresh())).outcome).toBe('created');
    expect((await accept(token, fresh())).outcome).toBe('gone');
  });

  test('what fails once the account is there does not bring it back', async () => {
    const token = await tokenFor();
    const { audit } = server.core.stores;
    const { append } = audit;
    const form = fresh();
    audit.append = away;
    try {
      await expect(accept(token, form)).rejects.toThrow(Unavailable);
    } finally {
      audit.append = append;
    }
    expect(await found(form)).toBeDefined();
    expect((await accept(token, fresh())).outcome).toBe('gone');
  });

  test('its address is the account’s from the first moment on: nothing that fails leaves one without it', async () => {
    const form = fresh();
    const token = await tokenFor(form.email);
    const { accounts } = server.core.stores;
    const { update } = accounts;
    accounts.update = away;
    try {
      expect((await accept(token, form)).outcome).toBe('created');
    } finally {
      accounts.update = update;
    }
    expect(await found(form)).toMatchObject({ email: form.email, verified: true });
  });

  test('who has only named its address keeps it until there is an account', async () => {
    const form = fresh();
    const named = await buildPerson(server, {
      ...{ username: form.email, email: form.email },
      ...{ verified: false, unprovedName: true },
    });
    const token = await tokenFor(form.email);
    const taken = await buildPerson(server);
    expect((await accept(token, { ...form, username: taken.username })).outcome).toBe('taken');
    expect(await server.core.accounts.findBySubject(named.subject)).toMatchObject({ username: form.email });
    expect((await accept(token, form)).outcome).toBe('created');
    expect(await server.core.accounts.findByUsername(form.email)).toBeUndefined();
  });

  test('it ends after its time', async () => {
    const url = await invited();
    travel(server.core.config.mail.invitationTtl + 1);
    expect((await new Agent(server).go(url)).status).toBe(410);
  });

  test('what cannot be mailed invites nobody', async () => {
    const { url: _, ...rest } = { url: '', ...server.env };
    const without = commandLine({ ...rest, SMTP_URL: '' });
    expect((await without('accounts', 'invite', '--email', 'a@example.org', '--mail')).err).toContain('SMTP_URL');
    const down = commandLine({ ...rest, SMTP_URL: 'smtp://127.0.0.1:1' });
    const answer = await down('accounts', 'invite', '--email', 'a@example.org', '--mail');
    expect([answer.code, answer.err]).toEqual([1, expect.stringContaining('could not be sent')]);
    expect((await cli('accounts', 'invite', '--email', 'nonsense')).code).toBe(1);
    expect((await commandLine({ ...rest, SIGN_UP: 'off' })('accounts', 'invite')).err).toContain('SIGN_UP is off');
  });

  test('a reset link from the command line: for an account without a proved address too, mailed where there is one', async () => {
    const [unproved, proved] = [await buildPerson(server, { verified: false }), await buildPerson(server)];
    const one = await cli.json<{ url: string; mailed: boolean }>('accounts', 'reset-link', unproved.username, '--mail');
    const other = await cli.json<{ url: string; mailed: boolean }>('accounts', 'reset-link', proved.username, '--mail');
    expect([one.mailed, other.mailed]).toEqual([false, true]);
    expect(linkMailedTo(proved.email ?? '')).toBe(other.url);
    const done = await fill(new Agent(server), one.url, { password: 'eleven quiet foxes by the pond' });
    expect(new URL(done.url).pathname).toBe('/account');
    const events = await server.core.stores.audit.list({ subject: unproved.subject }, 10);
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['reset.link_made', 'account.password_changed']),
    );
    expect((await cli('accounts', 'reset-link', 'nobody')).code).toBe(1);
    await server.core.accounts.disable(proved.subject);
    expect((await cli('accounts', 'reset-link', proved.username)).err).toContain('disabled');
  });
});
