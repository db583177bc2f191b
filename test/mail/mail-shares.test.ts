/** Mails that strangers cause leave enough for the person they are about (B8). */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { KeptMail } from '../../src/mail/mailbox.ts';
import { send, visit, words } from '../pages/account/visitor.ts';
import { Agent } from '../support/agent.ts';
import { comeBack, travel } from '../support/flow.ts';
import { fill, mailsTo, mailTo, resetLinkFor } from '../support/mail.ts';
import { buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const limit = 5;

describeStorages('a person in whose name strangers ask for mails', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ MAIL_LIMIT: String(limit), RESET_LINK_TTL: '600', MAIL_ADDRESS_LIMIT: '1000' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const linkOf = (mail: KeptMail | undefined): string => mail?.link ?? '';
  type Person = Awaited<ReturnType<typeof buildPerson>>;
  async function strangersAsk({ username }: Person): Promise<void> {
    for (let n = 0; n < limit + 3; n += 1) {
      const caller = { via: 'browser', address: `203.0.113.${n}`, requestId: 'r', locale: 'en' };
      await server.core.passwordReset.request(username, caller);
    }
    await server.core.mails.settled();
  }
  const resets = async ({ email }: Person) =>
    (await mailsTo(server, email ?? '')).filter(({ kind }) => kind === 'reset-password');

  test('gets no more than the limit, and the last link is good until the next mail may come', async () => {
    // The limit's hour is Redis’s own where there is one, and does not travel.
    if (storage.kind !== 'sqlite') return;
    const person = await buildPerson(server);
    await strangersAsk(person);
    expect(await resets(person)).toHaveLength(limit);
    const [last, before] = await resets(person);
    expect(last?.text).toContain('60 minutes');
    expect(before?.text).toContain('10 minutes');
    travel(3500);
    expect(await resetLinkFor(server, person.username, person.email ?? '')).toBeUndefined();
    expect((await new Agent(server).go(linkOf(before))).status).toBe(410);
    const done = await fill(new Agent(server), linkOf(last), { password: 'eleven quiet foxes by the pond' });
    expect(new URL(done.url).pathname).toBe('/account');
  });

  test('gets a mail of their own in a browser that is known', async () => {
    const { agent, person } = await visit(server);
    agent.cookies.delete('gatehouse/');
    await strangersAsk(person);
    const before = (await resets(person)).length;
    await fill(agent, '/forgot', { username: person.username });
    expect(await resets(person)).toHaveLength(before + 1);
    for (let n = 0; n < limit + 2; n += 1) await fill(agent, '/forgot', { username: person.username });
    expect(await resets(person)).toHaveLength(before + limit);
  });

  test('gets the next link at once after a reset: those before it are good no more', async () => {
    const person = await buildPerson(server);
    await strangersAsk(person);
    const [last] = await resets(person);
    await fill(new Agent(server), linkOf(last), { password: 'eleven quiet foxes by the pond' });
    expect(await resetLinkFor(server, person.username, person.email ?? '')).toBeDefined();
  });

  test('changes the e-mail address all the same, and is told where that is asked too often', async () => {
    const { agent, page, person } = await visit(server, '/account/email');
    await strangersAsk(person);
    const next = (n: number) => `new-${n}-${person.username}@example.net`;
    for (let n = 0; n < limit; n += 1) {
      const asked = await send(agent, page, '/account/email', { email: next(n) });
      expect(words(asked)).toContain('An e-mail is on its way');
      await mailTo(server, next(n), 'confirm-email');
    }
    const many = await send(agent, page, '/account/email', { email: next(limit) });
    expect(many.status).toBe(429);
    expect(await mailsTo(server, next(limit))).toEqual([]);
  });

  test('proves an address to which strangers had links sent by signing up with it', async () => {
    const { agent, page, person } = await visit(server, '/account/email');
    const wanted = `wanted-${person.username}@example.net`;
    for (let n = 0; n < limit + 2; n += 1)
      await server.core.emails.requestChange((await buildPerson(server)).subject, wanted, {
        ...{ via: 'browser', address: `203.0.113.${n}`, requestId: 'r', locale: 'en' },
      });
    await server.core.mails.settled();
    expect(await mailsTo(server, wanted)).toHaveLength(limit);
    await send(agent, page, '/account/email', { email: wanted });
    expect(await mailsTo(server, wanted)).toHaveLength(limit + 1);
  });
});
