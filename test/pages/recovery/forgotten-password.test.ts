/** A forgotten password: what the page tells (nothing), who is mailed, and what the link and the new password end. B6, B13, G1. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer } from '../../support/agent.ts';
import { type Authenticator, enrol } from '../../support/authenticator.ts';
import { comeBack, raw, refresh, stopClock, tokensFor, travel, userinfo } from '../../support/flow.ts';
import { fill, headingOf, linkIn, mailsTo, mailTo, resetLinkFor, send } from '../../support/mail.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const another = 'eleven quiet foxes by the pond';
type Person = Awaited<ReturnType<typeof buildPerson>>;

describeStorages('a forgotten password', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000', MAIL_LIMIT: '4' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const ask = (typed: string, agent = new Agent(server)) => fill(agent, '/forgot', { username: typed });

  const link = async (person: Person): Promise<string> => {
    const found = await resetLinkFor(server, person.username, person.email ?? '');
    if (found === undefined) throw new Error('no link was sent');
    return found;
  };

  const signIn = async (person: Person, typed: string, at = server) =>
    (
      await at.core.signIn.signIn({
        ...{ username: person.username, password: typed, address: '192.0.2.9', via: 'browser', requestId: 'r' },
      })
    ).outcome;

  const plain = ({ status, url, text, headers }: Answer) => {
    const names = [...headers.keys()].filter((name) => name !== 'set-cookie').sort();
    return { status, at: new URL(url).pathname + new URL(url).search, text, names };
  };

  test('B6: known, unknown, disabled, unproved, throttled: one answer to the byte', async () => {
    const person = await buildPerson(server);
    const disabled = await buildPerson(server);
    await server.core.accounts.disable(disabled.subject);
    const unproved = await buildPerson(server, { verified: false });
    const flooded = await buildPerson(server);
    for (let n = 0; n < 5; n += 1) await ask(flooded.username);

    const unknown = plain(await ask('nobody-at-all'));
    expect([unknown.status, unknown.at]).toEqual([200, '/forgot?sent=yes']);
    const others = [
      person.username,
      disabled.username,
      unproved.username,
      flooded.username,
      'nobody@example.org',
      '\ud800',
    ];
    for (const typed of [...others, 'x'.repeat(5000), person.email ?? '', '"; --']) {
      expect(plain(await ask(typed))).toEqual(unknown);
    }
    expect(await mailsTo(server, disabled.email ?? '')).toEqual([]);
    expect(await mailsTo(server, unproved.email ?? '')).toEqual([]);
    expect(await mailsTo(server, 'nobody@example.org')).toEqual([]);
    expect(await mailsTo(server, flooded.email ?? '')).toHaveLength(4);
    expect(await mailsTo(server, person.email ?? '')).toHaveLength(2);
  });

  test('by any spelling of the name or the address; the mail goes to the address that is stored', async () => {
    const person = await buildPerson(server, { username: 'Mike', email: 'mike@example.org' });
    // Compared as one, but two mailboxes: a dotless i.
    await ask('m\u0131ke@example.org');
    expect(await mailsTo(server, 'm\u0131ke@example.org')).toEqual([]);
    expect(await mailsTo(server, person.email ?? '')).toHaveLength(1);
    await ask(' ＭＩＫＥ ');
    expect(await mailsTo(server, person.email ?? '')).toHaveLength(2);
  });

  test('opening the link changes nothing; the form sets the password, once', async () => {
    const person = await buildPerson(server);
    const address = await link(person);
    for (let n = 0; n < 3; n += 1) await (await fetch(address)).arrayBuffer();
    expect(await signIn(person, password)).toBe('signed-in');
    const agent = new Agent(server);
    const page = await agent.go(address);
    const done = await send(agent, page, { password: another });
    expect(new URL(done.url).pathname).toBe('/account');
    expect([await signIn(person, password), await signIn(person, another)]).toEqual(['refused', 'signed-in']);
    const again = await send(agent, page, { password: 'and something else again' });
    expect([again.status, headingOf(again)]).toEqual([410, 'This link no longer works']);
    expect(await signIn(person, another)).toBe('signed-in');
  });

  test('a password that is refused leaves the link as it was', async () => {
    const person = await buildPerson(server);
    const address = await link(person);
    const agent = new Agent(server);
    for (const weak of ['', 'short', `${person.username}${person.username}`]) {
      const page = await fill(agent, address, { password: weak });
      expect([page.status, page.text.includes('id="password-error"')]).toEqual([422, true]);
      if (weak !== '') expect(page.text).not.toContain(`value="${weak}"`);
    }
    expect(new URL((await fill(agent, address, { password: another })).url).pathname).toBe('/account');
  });

  test('of twenty uses of one link at once, one counts', async () => {
    const person = await buildPerson(server);
    const token = new URL(await link(person)).searchParams.get('token') ?? '';
    const { passwordReset } = server.core;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, n) => passwordReset.complete(token, `${another} ${n}`, [], { via: 'cli' })),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'changed')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'gone')).toHaveLength(19);
  });

  test('a new password, however it came about, ends all earlier links', async () => {
    const person = await buildPerson(server);
    const links = [await link(person), await link(person), await link(person)];
    await fill(new Agent(server), links[1] ?? '', { password: another });
    for (const old of links) {
      const page = await new Agent(server).go(old);
      expect([page.status, page.text.includes('href="/forgot"')]).toEqual([410, true]);
    }
    const later = await link(person);
    await server.core.accounts.setPassword(person.subject, password, { endSessions: false });
    expect((await new Agent(server).go(later)).status).toBe(410);
  });

  test('so does another address, the end of the account, and time', async () => {
    const [moved, gone, disabled, late] = [
      await buildPerson(server),
      await buildPerson(server),
      await buildPerson(server),
      await buildPerson(server),
    ];
    const links = [await link(moved), await link(gone), await link(disabled), await link(late)];
    for (const address of links) expect((await new Agent(server).go(address)).status).toBe(200);
    await server.core.stores.accounts.update(moved.subject, { email: 'm@example.org', emailKey: 'm@example.org' }, 1);
    await server.core.accounts.remove(gone.subject);
    await server.core.accounts.disable(disabled.subject);
    for (const address of links.slice(0, 3)) expect((await new Agent(server).go(address)).status).toBe(410);
    travel(server.core.config.mail.resetLinkTtl + 1);
    expect((await new Agent(server).go(links[3] ?? '')).status).toBe(410);
  });

  test('B13: all sessions and tokens end, the old password is refused on every node, and a mail says so', async () => {
    const other = await storage.join(server);
    const client = await buildClient(server, { grant_types: ['authorization_code', 'refresh_token'] });
    const person = await buildPerson(server);
    const { agent, body } = await tokensFor(server, client, { person, scope: 'openid offline_access' });
    expect((await userinfo(server, body.access_token)).status).toBe(200);
    expect(await signIn(person, password, other)).toBe('signed-in');

    await fill(new Agent(server), await link(person), { password: another });
    expect((await userinfo(server, body.access_token)).status).toBe(401);
    expect((await refresh(server, client, body.refresh_token)).body.error).toBe('invalid_grant');
    const silent = await agent.go(
      `/oauth/authorize?response_type=code&scope=openid&prompt=none&client_id=${client.id}&code_challenge=${'x'.repeat(43)}&code_challenge_method=S256`,
    );
    expect(new URL(silent.location ?? '').searchParams.get('error')).toBe('login_required');
    expect([await signIn(person, password, other), await signIn(person, another, other)]).toEqual([
      'refused',
      'signed-in',
    ]);
    const notice = await mailTo(server, person.email ?? '', 'password-changed');
    expect(notice.text).not.toContain(another);
    const events = await server.core.stores.audit.list({ subject: person.subject }, 20);
    const changed = events.find(({ event }) => event === 'account.password_changed');
    expect(changed?.detail).toEqual({ via: 'reset-link' });
  });

  test('a second factor is still asked for, and the shorter password that it allows is allowed', async () => {
    const person = await buildPerson(server);
    const app: Authenticator = await enrol(server.core.factors, person.subject);
    await fill(new Agent(server), await link(person), { password: 'nine owls' });
    expect(await signIn(person, 'nine owls')).toBe('second-factor');
    expect(app).toBeDefined();
  });

  test('the way back to the sign-in goes through the mail, and leads nowhere else', async () => {
    const client = await buildClient(server, {}, 'register');
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const login = await agent.go(`/oauth/authorize?response_type=code&scope=openid&client_id=${client.id}`);
    const way = /href="(\/forgot\?from=[^"]+)"/.exec(login.text)?.[1] ?? '';
    const sent = await fill(agent, way, { username: person.username });
    expect(sent.text).toContain(`href="${new URL(login.url).pathname}"`);
    const address = linkIn(await mailTo(server, person.email ?? '', 'reset-password'));
    const consent = await fill(agent, address, { password: another });
    expect(consent.text).toContain('value="allow"');
    for (const from of ['//evil.example', 'https://evil.example', '..%2f..%2fadmin', 'x', `${'a'.repeat(65)}`]) {
      const page = await agent.go(`/forgot?from=${from}`);
      expect(page.text).not.toContain('/interaction/');
      expect(page.text).not.toContain('evil');
    }
  });

  test('a form without its token is refused, here and behind the link', async () => {
    const person = await buildPerson(server);
    const address = await link(person);
    expect((await new Agent(server).go('/forgot', { form: { username: person.username } })).status).toBe(403);
    expect((await new Agent(server).go(address, { form: { password: another } })).status).toBe(403);
    expect(await signIn(person, password)).toBe('signed-in');
  });

  test('G1: whatever host a request names, the link is the issuer’s', async () => {
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const page = await agent.go('/forgot');
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const body = new URLSearchParams({ csrf, username: person.username }).toString();
    await raw(
      server,
      [
        'POST /forgot HTTP/1.1',
        'Host: evil.example',
        'X-Forwarded-Host: evil.example',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Port: 444',
        'X-Forwarded-Prefix: /evil',
        'Forwarded: host=evil.example',
        `Cookie: ${agent.cookiesFor('/forgot')}`,
        'Content-Type: application/x-www-form-urlencoded',
        `Content-Length: ${body.length}`,
        'Connection: close',
        '',
        body,
      ].join('\r\n'),
    );
    const mail = await mailTo(server, person.email ?? '', 'reset-password');
    expect(mail.link?.startsWith(`${server.url}/reset?token=`)).toBe(true);
    expect(`${mail.text}${mail.html}${mail.subject}`).not.toContain('evil');
  });

  test('no link and no address is in the log', async () => {
    const person = await buildPerson(server);
    const token = new URL(await link(person)).searchParams.get('token') ?? '';
    await new Agent(server).go(`/reset?token=${token}`);
    const log = server.logged.join('\n');
    expect(log).toContain('a mail was sent');
    expect(log).not.toContain(token);
    expect(log).not.toContain(person.email);
  });
});

describe('too many', () => {
  test('requests from one address have to wait, for whatever name', async () => {
    const server = await startServer({ env: { MAIL_ADDRESS_LIMIT: '3' } });
    try {
      const person = await buildPerson(server);
      const ask = (username: string) => fill(new Agent(server), '/forgot', { username });
      stopClock();
      for (const typed of [person.username, 'nobody', 'nobody-else']) expect((await ask(typed)).status).toBe(200);
      const [known, unknown] = [await ask(person.username), await ask('somebody')];
      expect([known.status, unknown.status, known.headers.get('retry-after')]).toEqual([429, 429, '3600']);
      travel(3601);
      expect((await ask(person.username)).status).toBe(200);
    } finally {
      comeBack();
      await server.close();
    }
  });
});
