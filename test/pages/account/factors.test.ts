/** Enrolling an authenticator app on the account page (security.md B11). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, csrfOf } from '../../support/agent.ts';
import { codeOf, enrol } from '../../support/authenticator.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { decoded } from '../../support/qr.ts';
import { leastRoundTrips } from '../../support/round-trips.ts';
import { buildPerson, password, startServer, type TestServer } from '../../support/server.ts';
import { open, send, visit, withBoth, words } from './visitor.ts';

const list = '/account/factors';
const security = '/account/security';

const secretOn = (page: Pick<Answer, 'text'>): string =>
  (/class="secret-key"[^>]*>([A-Z2-7 ]+)</.exec(page.text)?.[1] ?? '').replaceAll(' ', '');

const addedOn = (page: Pick<Answer, 'text'>): string => /name="added" value="([^"]+)"/.exec(page.text)?.[1] ?? '';

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
    const { agent, person, page } = await visit(server, security);
    const app = await send(agent, page, `${list}/begin`);
    const secret = secretOn(app);
    const codes = await send(agent, app, `${list}/app`, { code: codeOf(secret) });
    return { agent, person, app, secret, codes };
  }

  test('the QR code on the page holds what the key says, for this account', async () => {
    const { agent, person, page } = await visit(server, security);
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
    expect(words(await agent.go(list))).toMatch(/Authenticator app On .* Rename .* Remove .*10 codes are left/);
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ twoFactor: true });
    travel(30);
    const elsewhere = new Agent(server);
    const page = await open(elsewhere, person, '/account', () => codeOf(secret));
    expect(page.url).toBe(`${server.url}/account`);
  });

  test('secret and codes are shown once: not by going back, not by a reload, nowhere else', async () => {
    const { agent, secret, codes, app } = await enrolled();
    const again = await agent.go(`${list}/codes`);
    expect([again.url, codesOn(again)]).toEqual([`${server.url}${list}/codes`, []]);
    expect((await agent.go(`${list}/app`)).url).toBe(server.url + security);
    const twice = await send(agent, app, `${list}/app`, { code: codeOf(secret, 1) });
    expect([twice.url, words(twice)]).toEqual([server.url + security, expect.stringContaining('This setup is over')]);
    for (const path of [security, `${list}/codes`, '/account', '/account/activity', '/account/data/export']) {
      const { text } = await agent.go(path);
      for (const hidden of [secret, ...codesOn(codes)]) expect(text).not.toContain(hidden);
    }
    expect(server.logged.join('\n')).not.toContain(secret);
  });

  test('the Security page reads factors, passkeys and accounts elsewhere once each', async () => {
    const { agent } = await visit(server, security);
    travel(302);
    const cost = (path: string) =>
      leastRoundTrips(server.core.stores, async () => {
        expect((await agent.go(path)).status).toBe(200);
      });
    expect((await cost(security)) - (await cost('/account/data'))).toBe(3);
  });

  test('HEAD does not take the codes away before they are shown', async () => {
    const { agent, page } = await visit(server, security);
    const app = await send(agent, page, `${list}/begin`);
    const form = { csrf: csrfOf(app), code: codeOf(secretOn(app)) };
    await agent.go(`${list}/app`, { form, follow: false });
    const cookie = [...agent.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; ');
    const head = await fetch(`${server.url}${list}/codes`, { method: 'HEAD', headers: { cookie } });
    expect([head.status, head.headers.getSetCookie().filter((line) => line.includes('gatehouse-note'))]).toEqual([
      200,
      [],
    ]);
    expect(codesOn(await agent.go(`${list}/codes`))).toHaveLength(10);
  });

  test('until it is confirmed, the sign-in asks for nothing; a wrong code is said in place and the QR code stays', async () => {
    const { agent, person, page } = await visit(server, security);
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
    const { agent, person, page } = await visit(server, security);
    const app = await send(agent, page, `${list}/begin`);
    travel(901);
    const late = await send(agent, app, `${list}/app`, { code: codeOf(secretOn(app)) });
    expect([late.url, words(late)]).toEqual([server.url + security, expect.stringContaining('This setup is over')]);
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ twoFactor: false });
  });

  test('recovery codes as a file, new ones, and an end to the old', async () => {
    const { agent, person, codes, secret } = await enrolled();
    const file = await send(agent, codes, `${list}/codes.txt`, { codes: codesOn(codes).join(' ') });
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="recovery-codes.txt"');
    expect(file.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(file.text.trim().split('\r\n')).toEqual(codesOn(codes));
    const odd = await send(agent, codes, `${list}/codes.txt`, { codes: '<script>alert(1)</script>' });
    expect(odd.url).toBe(server.url + security);

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

  const reminder = 'Your recovery codes may not be saved';
  const field = { name: 'recovery_code' };
  const saved = async (subject: string) => (await server.core.factors.list(subject)).recoveryCodesSaved;

  test('the codes count as saved when one of them has been typed; until then the page reminds', async () => {
    const { agent, person, codes } = await enrolled();
    expect(words(await agent.go(security))).toContain(reminder);
    const all = codesOn(codes);
    const type = (recovery_code: string, page: Pick<Answer, 'text'> = codes) =>
      send(agent, page, `${list}/codes/saved`, { recovery_code, codes: all.join(' '), added: addedOn(codes) });
    for (const [typed, said] of [
      ['', 'Enter one of your recovery codes'],
      ['abcd-efgh-jkmn-pqrs', 'none of your current codes'],
      ['<b>', 'none of your current codes'],
    ] as const) {
      const refused = await type(typed);
      expect([refused.status, codesOn(refused)]).toEqual([422, all]);
      expect(refused.text).toMatch(new RegExp(`name="${field.name}"[^>]*aria-invalid="true" autofocus`));
      expect(words(refused)).toContain(said);
    }
    expect(await saved(person.subject)).toBe(false);
    const done = await type(` ${all[4]?.toUpperCase().replaceAll('-', ' ')} `);
    expect([done.url, words(done)]).toEqual([server.url + security, expect.stringContaining('codes are saved')]);
    expect(words(done)).not.toContain(reminder);
    expect([await saved(person.subject), (await server.core.factors.list(person.subject)).recoveryCodesLeft]).toEqual([
      true,
      10,
    ]);
    // Nothing more to ask for.
    expect((await agent.go(`${list}/codes`)).url).toBe(server.url + security);
    const [event] = await server.core.stores.audit.list({ event: 'recovery_codes.saved', subject: person.subject }, 1);
    expect(event?.detail).toMatchObject({ via: 'account' });
  });

  test('a step left half-finished locks out no one: the codes work, and can be confirmed later or replaced', async () => {
    const { agent, person, codes } = await enrolled();
    const [first = '', second = ''] = codesOn(codes);
    const elsewhere = new Agent(server);
    const login = await elsewhere.go('/account');
    const step = await elsewhere.submit(login, { username: person.username, password });
    const other = await elsewhere.go(`${new URL(step.url).pathname}?method=recovery-code`);
    expect((await elsewhere.submit(other, { recovery_code: first })).location).toContain('/account/callback');
    // Its use shows that the person has the list.
    expect(await saved(person.subject)).toBe(true);

    const asked = await agent.go(`${list}/codes/new`);
    expect(words(asked)).toContain('The old ones no longer work');
    const fresh = await send(agent, asked, `${list}/codes`);
    expect(words(await agent.go(security))).toContain(reminder);
    const later = await agent.go(`${list}/codes`);
    expect([codesOn(later), words(later)]).toEqual([[], expect.stringContaining('Did you save your recovery codes?')]);
    const old = await send(agent, later, `${list}/codes/saved`, { recovery_code: second });
    expect([old.status, await saved(person.subject)]).toEqual([422, false]);
    const done = await send(agent, later, `${list}/codes/saved`, { recovery_code: codesOn(fresh)[9] ?? '' });
    expect([done.url, await saved(person.subject)]).toEqual([server.url + security, true]);
  });

  test('the name is asked after the success, beside the app that it is for, and can be changed later', async () => {
    const { agent, person, codes } = await enrolled();
    const id = addedOn(codes);
    const done = await send(agent, codes, `${list}/codes/saved`, { recovery_code: codesOn(codes)[0] ?? '', added: id });
    expect(done.text).toMatch(
      /action="\/account\/factors\/rename".*name="factor" value="[^"]+".*value="Authenticator app"/s,
    );
    // Shown once.
    expect((await agent.go(security)).text).not.toContain('action="/account/factors/rename"');
    const renamed = await send(agent, done, `${list}/rename`, { factor: id, name: ' Kitchen ' });
    expect(words(renamed)).toMatch(/The name is saved.* Kitchen /);
    const form = await agent.go(`${list}/rename?factor=${id}`);
    expect(form.text).toContain('value="Kitchen"');
    const stranger = await visit(server, security);
    await withBoth(server, stranger.person);
    expect((await send(stranger.agent, stranger.page, `${list}/rename`, { factor: id, name: 'mine' })).status).toBe(
      404,
    );
    expect((await stranger.agent.go(`${list}/rename?factor=${id}`)).status).toBe(404);
    expect((await server.core.factors.list(person.subject)).factors).toMatchObject([{ name: 'Kitchen' }]);
  });

  test('an app that is set up on a phone begins with its name', async () => {
    const { agent, person, page } = await visit(server, security);
    const form = { csrf: csrfOf(page) };
    const phone =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1';
    const app = await agent.go(`${list}/begin`, { form, headers: { 'user-agent': phone } });
    expect(/href="(otpauth:\/\/totp\/[^"]+)"/.exec(app.text)?.[1]).toContain(`secret=${secretOn(app)}`);
    await send(agent, app, `${list}/app`, { code: codeOf(secretOn(app)) });
    expect((await server.core.factors.list(person.subject)).factors).toMatchObject([{ name: 'iPhone' }]);
  });

  test('removed, it is no longer asked for; another person’s is not there (B12)', async () => {
    const { agent, person } = await enrolled();
    const other = await buildPerson(server);
    const theirs = await enrol(server.core.factors, other.subject);
    const page = await agent.go(security);
    const foreign = await send(agent, page, `${list}/remove`, { factor: theirs.factorId });
    expect(foreign.status).toBe(404);
    for (const factor of ['', 'x', '\0', 'é'.repeat(500)]) {
      expect((await send(agent, page, `${list}/remove`, { factor })).status).toBe(404);
    }
    expect((await server.core.factors.list(other.subject)).factors).toHaveLength(1);
    for (const factor of [theirs.factorId, '', 'x', '%00'])
      expect((await agent.go(`${list}/remove?factor=${factor}`)).status).toBe(404);
    const to = /href="(\/account\/factors\/remove\?factor=[^"]+)"/.exec(page.text)?.[1] ?? '';
    const asked = await agent.go(to);
    expect(words(asked)).toMatch(/Remove Authenticator app \? It is your only one/);
    const own = /name="factor" value="([^"]+)"/.exec(asked.text)?.[1] ?? '';
    const removed = await send(agent, asked, `${list}/remove`, { factor: own });
    expect([removed.url, words(removed)]).toEqual([server.url + security, expect.stringContaining('It is removed')]);
    expect((await open(new Agent(server), person, '/account')).url).toBe(`${server.url}/account`);
    expect((await send(agent, page, `${list}/codes`)).url).toBe(server.url + security);
    expect((await agent.go(`${list}/codes/new`)).url).toBe(server.url + security);
  });

  test('as many apps as there can be', async () => {
    const { agent, person, page } = await visit(server, security);
    for (let n = 0; n < 5; n += 1) await enrol(server.core.factors, person.subject, `app ${n}`);
    await withBoth(server, person);
    const more = await send(agent, page, `${list}/begin`);
    expect([more.url, words(more)]).toEqual([server.url + security, expect.stringContaining('maximum number of apps')]);
  });
});
