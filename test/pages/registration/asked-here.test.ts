/** The mailed link in the browser that has named the address, and everywhere else. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { fill, headingOf, linkIn, mailTo, send } from '../../support/mail.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { visit } from '../account/visitor.ts';

const [confirmed, over] = ['Your address is confirmed', 'This link no longer works'];
const cookie = 'gatehouse-asked';
let number = 0;

describeStorages('the link that confirms an address', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000' });
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  async function signedUp(agent = new Agent(server)) {
    number += 1;
    const username = `asker${number}`;
    const email = `${username}@example.org`;
    const sent = await fill(agent, '/sign-up', { username, email, password });
    const link = linkIn(await mailTo(server, email, 'confirm-email'));
    const isVerified = async () => (await server.core.accounts.findByUsername(username))?.verified;
    return { agent, sent, username, email, link, isVerified };
  }
  const heading = async (agent: Agent, link: string, headers: Record<string, string> = {}) =>
    headingOf(await agent.go(link, { headers }));
  /** The same browser, but signed in to nothing: only what says that it has named the address. */
  function onlyAsked(from: Agent): Agent {
    const agent = new Agent(server);
    for (const [key, one] of from.cookies) if (one.name === cookie) agent.cookies.set(key, one);
    return agent;
  }

  test('opened in the browser that signed up, it confirms and says so, once', async () => {
    const { agent, link, isVerified } = await signedUp();
    const done = await agent.go(link);
    expect([done.url, headingOf(done)]).toEqual([`${server.url}/verify-email?done=yes`, confirmed]);
    expect(await isVerified()).toBe(true);
    expect(agent.cookie(cookie)).toBeUndefined();
    expect((await agent.go(link)).status).toBe(410);
  });

  test('also after the sign-out, and it signs no one in', async () => {
    const { agent, link, isVerified } = await signedUp();
    const later = onlyAsked(agent);
    expect(await heading(later, link)).toBe(confirmed);
    expect(await isVerified()).toBe(true);
    expect((await later.go('/account')).url).toContain('/interaction/');
  });

  test('in another browser it asks, whether or not the person is signed in there', async () => {
    const { link, username, isVerified } = await signedUp();
    const page = await new Agent(server).go(link);
    expect([page.status, page.text.includes('name="password"')]).toEqual([200, true]);
    const { agent: own } = await visit(server, '/account', { ...(await buildPerson(server)), username });
    const asked = await own.go(link);
    expect([headingOf(asked) === confirmed, await isVerified()]).toEqual([false, false]);
    expect(headingOf(await send(own, asked, {}))).toBe(confirmed);
  });

  test.each<[string, Record<string, string>]>([
    ['a prefetch', { 'sec-purpose': 'prefetch' }],
    ['a prerendering', { 'sec-purpose': 'prefetch;prerender' }],
    ['an older prefetch', { purpose: 'prefetch' }],
    ['a script', { 'sec-fetch-dest': 'empty' }],
    ['a frame', { 'sec-fetch-dest': 'iframe' }],
  ])('%s shows the button and confirms nothing', async (_, headers) => {
    const { agent, link, isVerified } = await signedUp();
    const shown = await agent.go(link, { headers });
    expect([shown.status, shown.text.includes('<form method="post"'), await isVerified()]).toEqual([200, true, false]);
    expect(await heading(agent, link, { 'sec-fetch-dest': 'document' })).toBe(confirmed);
  });

  test('HEAD confirms nothing', async () => {
    const { agent, link, isVerified } = await signedUp();
    const { pathname } = new URL(link);
    const answer = await fetch(link, { method: 'HEAD', headers: { cookie: agent.cookiesFor(pathname) } });
    expect([answer.status, await isVerified()]).toEqual([200, false]);
  });

  test('a cookie of another account, a forged one, or another person who is signed in: the page asks', async () => {
    const [one, other] = [await signedUp(), await signedUp()];
    expect(await heading(onlyAsked(other.agent), one.link)).not.toBe(confirmed);
    const forged = onlyAsked(one.agent);
    for (const [key, kept] of forged.cookies) forged.cookies.set(key, { ...kept, value: `${kept.value}x` });
    expect(await heading(forged, one.link)).not.toBe(confirmed);
    for (const [key, kept] of one.agent.cookies) if (kept.name === cookie) other.agent.cookies.set(key, kept);
    expect(await heading(other.agent, one.link)).not.toBe(confirmed);
    expect([await one.isVerified(), await other.isVerified()]).toEqual([false, false]);
    expect(await heading(one.agent, one.link)).toBe(confirmed);
  });

  test('a link of an older request to another address asks; the newer one confirms', async () => {
    const { agent, person, page } = await visit(server, '/account/email');
    const [first, second] = [`first-${person.username}@example.net`, `second-${person.username}@example.net`];
    for (const email of [first, second]) await send(agent, page, { email });
    const [older, newer] = [
      await mailTo(server, first, 'confirm-email'),
      await mailTo(server, second, 'confirm-email'),
    ];
    expect(await heading(agent, linkIn(older))).not.toBe(confirmed);
    expect(await heading(agent, linkIn(newer))).toBe(confirmed);
    expect(await heading(agent, linkIn(older))).toBe(over);
  });

  test('sent again, both links are good; the cookie ends with the link', async () => {
    const { agent, sent, email, isVerified } = await signedUp();
    const before = agent.cookie(cookie);
    travel(60);
    await send(agent, sent, {});
    expect(agent.cookie(cookie)).not.toBe(before);
    const link = linkIn(await mailTo(server, email, 'confirm-email'));
    travel(server.core.config.mail.emailLinkTtl + 61);
    expect(await heading(agent, link)).toBe(over);
    expect(await isVerified()).toBe(false);
  });
});
