/** Enrolling an authenticator app on the account page (security.md B11). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer } from '../../support/agent.ts';
import { codeOf, enrol } from '../../support/authenticator.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { decoded } from '../../support/qr.ts';
import { buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { open, send, visit, withBoth, words } from './visitor.ts';

const list = '/account/factors';

const secretOn = (page: Pick<Answer, 'text'>): string =>
  (/class="secret-key" dir="ltr">([A-Z2-7 ]+)</.exec(page.text)?.[1] ?? '').replaceAll(' ', '');

const codesOn = (page: Pick<Answer, 'text'>): string[] =>
  [...page.text.matchAll(/<li><code>([0-9a-z-]+)<\/code>/g)].map(([, code = '']) => code);

describe('an authenticator app', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  async function enrolled() {
    const { agent, person, page } = await visit(server, list);
    const app = await send(agent, page, `${list}/begin`, { name: 'phone' });
    const secret = secretOn(app);
    const codes = await send(agent, app, `${list}/app`, { code: codeOf(secret) });
    return { agent, person, app, secret, codes };
  }

  test('the QR code on the page holds what the key says, for this account', async () => {
    const { agent, person, page } = await visit(server, list);
    const app = await send(agent, page, `${list}/begin`);
    const uri = new URL(await decoded(app.text));
    expect(uri.protocol).toBe('otpauth:');
    expect(decodeURIComponent(uri.pathname)).toBe(`//totp/Gatehouse:${person.username}`.slice(uri.host ? 6 : 0));
    expect(uri.searchParams.get('secret')).toBe(secretOn(app));
    expect(Buffer.byteLength(app.text)).toBeLessThan(14_000);
  });

  test('begun, confirmed by a code, and from then on needed', async () => {
    const { agent, person, secret, codes } = await enrolled();
    expect(codes.url).toBe(`${server.url}${list}/codes`);
    expect(codesOn(codes)).toHaveLength(10);
    expect(words(await agent.go(list))).toMatch(/phone.*Authenticator app.*10 codes are left/);
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ twoFactor: true });
    travel(30);
    const elsewhere = new Agent(server);
    const page = await open(elsewhere, person, '/account', () => codeOf(secret));
    expect(page.url).toBe(`${server.url}/account`);
  });

  test('secret and codes are shown once: not by going back, not by a reload, nowhere else', async () => {
    const { agent, secret, codes, app } = await enrolled();
    const again = await agent.go(`${list}/codes`);
    expect(again.url).toBe(server.url + list);
    expect((await agent.go(`${list}/app`)).url).toBe(server.url + list);
    const twice = await send(agent, app, `${list}/app`, { code: codeOf(secret, 1) });
    expect([twice.url, words(twice)]).toEqual([server.url + list, expect.stringContaining('This setup is over')]);
    for (const path of [list, '/account', '/account/activity', '/account/data/export']) {
      const { text } = await agent.go(path);
      for (const hidden of [secret, ...codesOn(codes)]) expect(text).not.toContain(hidden);
    }
    expect(server.logged.join('\n')).not.toContain(secret);
  });

  test('until it is confirmed, the sign-in asks for nothing; a wrong code is said in place and the QR code stays', async () => {
    const { agent, person, page } = await visit(server, list);
    const app = await send(agent, page, `${list}/begin`);
    const secret = secretOn(app);
    const near = [-2, -1, 0, 1, 2].map((away) => codeOf(secret, away));
    const wrong = ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code));
    for (const [code, words_] of [
      [wrong ?? '', 'That code is incorrect'],
      ['', 'Enter the six digits'],
      ['not a code', 'That code is incorrect'],
    ] as const) {
      const refused = await send(agent, app, `${list}/app`, { code });
      expect([refused.status, words(refused)]).toEqual([422, expect.stringContaining(words_)]);
      expect(secretOn(refused)).toBe(secret);
    }
    const other = await open(new Agent(server), person, '/account');
    expect(other.url).toBe(`${server.url}/account`);
    // Looking at another page meanwhile costs nothing.
    await agent.go('/account/profile');
    expect(secretOn(await agent.go(`${list}/app`))).toBe(secret);
    expect((await send(agent, app, `${list}/app`, { code: codeOf(secret) })).url).toBe(`${server.url}${list}/codes`);
  });

  test('a set-up that took too long is over', async () => {
    const { agent, person, page } = await visit(server, list);
    const app = await send(agent, page, `${list}/begin`);
    travel(901);
    const late = await send(agent, app, `${list}/app`, { code: codeOf(secretOn(app)) });
    expect(late.url).toContain('/interaction/');
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ twoFactor: false });
  });

  test('recovery codes as a file, new ones, and an end to the old', async () => {
    const { agent, person, codes, secret } = await enrolled();
    const file = await send(agent, codes, `${list}/codes.txt`, { codes: codesOn(codes).join(' ') });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="recovery-codes.txt"');
    expect(file.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(file.text.trim().split('\r\n')).toEqual(codesOn(codes));
    const odd = await send(agent, codes, `${list}/codes.txt`, { codes: '<script>alert(1)</script>' });
    expect(odd.url).toBe(server.url + list);

    const fresh = await send(agent, codes, `${list}/codes`);
    expect(codesOn(fresh)).toHaveLength(10);
    const use = (otp: string | undefined) => {
      const caller = { address: '192.0.2.7', via: 'browser', requestId: 'r' };
      return server.core.signIn.signIn({ username: person.username, password, otp, ...caller });
    };
    expect((await use(codesOn(codes)[0])).outcome).toBe('second-factor');
    expect((await use(codesOn(fresh)[0])).outcome).toBe('signed-in');
    expect(secret).not.toBe('');
  });

  test('removed, it is no longer asked for; another person’s is not there (B12)', async () => {
    const { agent, person } = await enrolled();
    const other = await buildPerson(server);
    const theirs = await enrol(server.core.factors, other.subject);
    const page = await agent.go(list);
    const foreign = await send(agent, page, `${list}/remove`, { factor: theirs.factorId });
    expect(foreign.status).toBe(404);
    for (const factor of ['', 'x', '\0', 'é'.repeat(500)]) {
      expect((await send(agent, page, `${list}/remove`, { factor })).status).toBe(404);
    }
    expect((await server.core.factors.list(other.subject)).factors).toHaveLength(1);
    const own = /name="factor" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const removed = await send(agent, page, `${list}/remove`, { factor: own });
    expect([removed.url, words(removed)]).toEqual([server.url + list, expect.stringContaining('It is removed')]);
    expect((await open(new Agent(server), person, '/account')).url).toBe(`${server.url}/account`);
    expect((await send(agent, page, `${list}/codes`)).url).toBe(server.url + list);
  });

  test('as many apps as there can be', async () => {
    const { agent, person, page } = await visit(server, list);
    for (let n = 0; n < 5; n += 1) await enrol(server.core.factors, person.subject, `app ${n}`);
    await withBoth(server, person);
    const more = await send(agent, page, `${list}/begin`);
    expect([more.url, words(more)]).toEqual([server.url + list, expect.stringContaining('maximum number of apps')]);
  });
});
