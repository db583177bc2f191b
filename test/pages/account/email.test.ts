/** Another e-mail address, and the mails that tell a person what was changed. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { codeOf } from '../../support/authenticator.ts';
import { linkIn, mailsTo, mailTo } from '../../support/mail.ts';
import { buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { send, visit, words } from './visitor.ts';

const page = '/account/email';

describe('another e-mail address', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ env: { THROTTLE_ADDRESS_LIMIT: '1000' } });
  });
  afterAll(() => server.close());

  const addressOf = async ({ subject }: { subject: string }) =>
    (await server.core.accounts.findBySubject(subject))?.email ?? null;

  test('becomes the account’s when its link is opened, and the one before is told', async () => {
    const { agent, person, page: form } = await visit(server, page);
    const next = `new-${person.username}@example.net`;
    const asked = await send(agent, form, page, { email: ` ${next} ` });
    expect([asked.url, words(asked)]).toEqual([server.url + page, expect.stringContaining('An e-mail is on its way')]);
    expect(words(asked)).toContain(next);
    expect(await addressOf(person)).toBe(person.email);
    const link = linkIn(await mailTo(server, next, 'confirm-email'));
    // The browser that has asked needs no button.
    expect(words(await agent.go(link))).toContain('Your address is confirmed');
    expect(await addressOf(person)).toBe(next);
    await mailTo(server, person.email ?? '', 'email-changed');
    expect(words(await agent.go(page))).toMatch(new RegExp(`${next} confirmed`));
  });

  test('one that is somebody’s already has the same answer, and its owner is told', async () => {
    const [{ agent, person, page: form }, other] = [await visit(server, page), await buildPerson(server)];
    const free = await send(agent, form, page, { email: `free-${person.username}@example.net` });
    const taken = await send(agent, form, page, { email: other.email ?? '' });
    const plain = (text: string) => text.replace(/[\w.+-]+@[\w.-]+/g, '@').replace(/value="[\w-]{43}"/g, '');
    expect([taken.status, plain(taken.text)]).toEqual([free.status, plain(free.text)]);
    await mailTo(server, other.email ?? '', 'address-known');
    expect(await addressOf(person)).toBe(person.email);
  });

  test.each([
    ['', 'Fill in this field'],
    ['nobody', 'This does not look right'],
    ['a@b', 'This does not look right'],
    ['a\u202e@example.org', 'This does not look right'],
    [`${'x'.repeat(2000)}@example.org`, 'Too long'],
  ])('%j: said in place, and kept as it was typed', async (email, reason) => {
    const { agent, page: form } = await visit(server, page);
    const wrong = await send(agent, form, page, { email });
    expect([wrong.status, words(wrong)]).toEqual([422, expect.stringContaining(reason)]);
    if (email === 'nobody') expect(wrong.text).toContain('value="nobody"');
  });

  test('the address that the account has is no news', async () => {
    const { agent, person, page: form } = await visit(server, page);
    const same = await send(agent, form, page, { email: person.email ?? '' });
    expect([same.status, words(same)]).toEqual([422, expect.stringContaining('This is already your address')]);
    expect((await mailsTo(server, person.email ?? '')).map(({ kind }) => kind)).not.toContain('confirm-email');
  });

  test('a new password and a changed second factor are told by mail', async () => {
    const { agent, person, page: form } = await visit(server, '/account/password');
    await send(agent, form, '/account/password', { current: password, password: 'nine owls in the attic' });
    const kinds = async () => (await mailsTo(server, person.email ?? '')).map(({ kind }) => kind);
    expect(await kinds()).toContain('password-changed');
    const app = await send(agent, form, '/account/factors/begin');
    const secret = (/class="secret-key"[^>]*>([A-Z2-7 ]+)</.exec(app.text)?.[1] ?? '').replaceAll(' ', '');
    await send(agent, app, '/account/factors/app', { code: codeOf(secret) });
    expect(await kinds()).toContain('factor-added');
    const [factor] = (await server.core.factors.list(person.subject)).factors;
    await send(agent, form, '/account/factors/remove', { factor: factor?.id ?? '' });
    expect(linkIn(await mailTo(server, person.email ?? '', 'factor-removed'))).toBe(`${server.url}/account/security`);
  });

  test('where no mails are sent, the page says so and takes nothing', async () => {
    const silent = await startServer({ env: { NODE_ENV: 'production' } });
    try {
      const { agent, person, page: form } = await visit(silent, page);
      expect(words(form)).toContain('sends no e-mail');
      expect(form.text).not.toContain('name="email"');
      const profile = await agent.go('/account/profile');
      await send(agent, profile, page, { email: 'other@example.net' });
      expect((await silent.core.accounts.findBySubject(person.subject))?.email).toBe(person.email);
    } finally {
      await silent.close();
    }
  });
});
