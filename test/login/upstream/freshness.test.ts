/**
 * What an answer from a provider is worth where a fresh sign-in is asked for: it may have come from a session there,
 * without a question to a person.
 */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { nowSeconds } from '../../../src/base/clock.ts';
import { Agent, type Answer, savedCode } from '../../support/agent.ts';
import { codeOf as codeOfApp } from '../../support/authenticator.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { buildClient, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { type ProviderServer, startProvider } from './provider-server.ts';
import {
  application,
  buildVisitorFrom,
  comeBackWith,
  failureIn,
  isCodePage,
  isConsent,
  isLogin,
  isNew,
  leave,
  pathOf,
  signInThere,
  startUpstream,
  startWith,
  submitTo,
  through,
  unusual,
} from './world.ts';

const isInvitation = ({ text }: Answer): boolean => text.includes('value="later"');
const isEnrol = ({ text }: Answer): boolean => text.includes('value="app"');
const secretOn = ({ text }: Answer): string =>
  /class="secret-key"[^>]*>([A-Z2-7 ]+)</.exec(text)?.[1]?.replaceAll(' ', '') ?? '';
const placeOf = ({ url }: Answer): string => new URL(url).pathname;

/** The callback of the account pages is on this very server: an answer goes on there by itself. */
async function onward(agent: Agent, page: Answer): Promise<Answer> {
  return page.location?.startsWith(`${agent.server.url}/account/`) ? agent.go(page.location) : page;
}

describeStorages('a sign-in through another instance of this server', (storage) => {
  let upstream: TestServer;
  let server: TestServer;
  let app: ReturnType<typeof application>;
  beforeAll(async () => {
    const there = await startUpstream();
    upstream = there.server;
    const env = { SESSION_TTL: '7200', SECOND_FACTOR: 'none' };
    server = await startWith(storage, async (issuer) => [await there.provider(issuer)], env);
    app = application(server, await buildClient(server));
  });
  afterEach(comeBack);
  afterAll(async () => {
    await server?.close();
    await upstream?.close();
  });

  /** A person with an account here, and a browser that is signed in at the provider. */
  async function member() {
    const who = await buildVisitorFrom(upstream, server);
    const page = await through(who.agent, await app.begin(who.agent), who.there);
    const made = await submitTo(who.agent, page, { upstream: 'create', username: who.person.username });
    const at = nowSeconds();
    await app.claims(who.agent, made);
    return { ...who, at };
  }
  const standing = async (agent: Agent): Promise<boolean> => {
    const { location } = await app.begin(agent, { prompt: 'none' });
    return new URL(location ?? 'x:').searchParams.get('error') !== 'login_required';
  };

  test('a person who comes back without a question is signed in, but not to what takes a fresh sign-in', async () => {
    const { there, at } = await member();
    travel(1000);
    const agent = new Agent(server);
    const { id } = await app.claims(agent, await through(agent, await app.begin(agent), there));
    expect(Math.abs(Number(id.auth_time) - at)).toBeLessThanOrEqual(10);
    expect(placeOf(await agent.go('/account'))).toBe('/account');
    for (const path of ['/account/delete', '/account/email', '/account/password']) {
      expect(isLogin(await agent.go(path))).toBe(true);
    }
    // The password there, and the page is open.
    const page = await onward(agent, await through(agent, await agent.go('/account/delete'), there));
    expect(placeOf(page)).toBe('/account/delete');
    expect(isLogin(await agent.go('/account/email'))).toBe(false);
  });

  test('a wish for the time that is taken out of the address brings nothing either', async () => {
    const { there } = await member();
    travel(1000);
    const agent = new Agent(server);
    const address = new URL(await leave(agent, await app.begin(agent)));
    expect(Number(address.searchParams.get('max_age'))).toBeGreaterThan(1_000_000);
    address.searchParams.delete('max_age');
    const after = await comeBackWith(agent, await signInThere(there.agent, address.href, there.person));
    const { id } = await app.claims(agent, after);
    expect(id.auth_time === undefined || Number(id.auth_time) < nowSeconds() - 900).toBe(true);
    expect(isLogin(await agent.go('/account/delete'))).toBe(true);
  });

  test('a session lasts from the sign-in here on, however long ago the one there was, and no longer', async () => {
    const { there } = await member();
    travel(6000);
    const agent = new Agent(server);
    await app.claims(agent, await through(agent, await app.begin(agent), there));
    travel(6000);
    expect(await standing(agent)).toBe(true);
    travel(1300);
    expect(await standing(agent)).toBe(false);
  });
});

const kinds = ['telling', 'silent', 'assumed', 'never', 'github'] as const;
type Kind = (typeof kinds)[number];
const rules = ['none', 'offered', 'required'] as const;
type Rule = (typeof rules)[number];

describeStorages('providers of every kind, which answer from a session of an hour ago', (storage) => {
  let provider: ProviderServer;
  let server: TestServer;
  let apps: Record<Rule, ReturnType<typeof application>>;
  beforeAll(async () => {
    provider = await startProvider();
    const { url } = provider;
    const oidc = (id: Kind, more: object = {}) => ({
      id,
      name: id,
      type: 'oidc',
      issuer: url,
      client_id: 'us',
      ...more,
    });
    server = await startWith(
      storage,
      () => [
        oidc('telling'),
        oidc('silent'),
        oidc('assumed', { fresh_sign_in: 'assumed' }),
        oidc('never', { fresh_sign_in: 'never' }),
        {
          id: 'github',
          name: 'github',
          type: 'oauth2',
          client_id: 'us',
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          userinfo_endpoint: `${url}/userinfo`,
        },
      ],
      { SECOND_FACTOR: 'none' },
    );
    const appOf = async (second_factor: Rule) => application(server, await buildClient(server, { second_factor }));
    apps = { none: await appOf('none'), offered: await appOf('offered'), required: await appOf('required') };
  });
  afterEach(() => {
    provider.reset();
    comeBack();
  });
  afterAll(async () => {
    await server?.close();
    await provider?.close();
  });

  /** To the provider and back. It asks whom it is told to ask, and tells what its kind tells. */
  async function arrive(agent: Agent, page: Answer, kind: Kind, sub: string): Promise<Answer> {
    const address = await leave(agent, page, kind);
    const { searchParams } = new URL(address);
    const maxAge = searchParams.get('max_age');
    const asks = searchParams.get('prompt') === 'login' || (maxAge !== null && Number(maxAge) < 3600);
    const time = nowSeconds() - (asks ? 0 : 3600);
    provider.claims = { sub, ...(kind === 'telling' && { auth_time: time }) };
    provider.userinfo = { sub, id: sub };
    return comeBackWith(agent, await provider.answer(address));
  }

  /** The apps of those who have added one. */
  const secrets = new Map<string, string>();

  /** From page to page until there is no further one, doing what each asks for; what was met on the way. */
  async function walk(agent: Agent, from: Answer, kind: Kind, sub: string) {
    const met: string[] = [];
    let page = from;
    for (;;) {
      if (met.length > 12) throw new Error(`no end: ${met.join(', ')}`);
      page = await onward(agent, page);
      if (page.location !== undefined) {
        met.push(new URL(page.location).searchParams.has('code') ? 'code' : 'error');
        return { met, page };
      }
      if (isLogin(page)) {
        const offered = page.text.includes(`href="${pathOf(page)}/upstream/${kind}"`);
        if (!offered || failureIn(page) !== undefined) {
          met.push(offered ? 'failed' : 'not offered');
          return { met, page };
        }
        met.push('provider');
        page = await arrive(agent, page, kind, sub);
      } else if (isNew(page)) {
        met.push('new');
        page = await submitTo(agent, page, { upstream: 'create', username: unusual() });
      } else if (isInvitation(page)) {
        met.push('invited');
        page = await agent.submit(page, { answer: 'later' });
      } else if (isEnrol(page)) {
        met.push('enrol');
        const qr = await agent.submit(page, { answer: 'app' });
        secrets.set(sub, secretOn(qr));
        const shown = await agent.submit(qr, { code: codeOfApp(secretOn(qr)) });
        page = await agent.submit(shown, savedCode(shown));
      } else if (isCodePage(page)) {
        met.push('second factor');
        // No code is taken twice.
        travel(60);
        page = await agent.submit(page, { code: codeOfApp(secrets.get(sub) ?? '') });
      } else if (isConsent(page)) {
        page = await agent.submit(page, { answer: 'allow' });
      } else {
        met.push(placeOf(page));
        return { met, page };
      }
    }
  }

  const newcomers: Record<Kind, Record<Rule, string>> = {
    telling: {
      none: 'provider, new, code',
      offered: 'provider, new, code',
      required: 'provider, new, provider, enrol, code',
    },
    silent: {
      none: 'provider, new, code',
      offered: 'provider, new, code',
      required: 'provider, new, provider, failed',
    },
    assumed: {
      none: 'provider, new, code',
      offered: 'provider, new, code',
      required: 'provider, new, enrol, code',
    },
    never: {
      none: 'provider, new, code',
      offered: 'provider, new, code',
      required: 'provider, new, not offered',
    },
    github: {
      none: 'provider, new, code',
      offered: 'provider, new, code',
      required: 'provider, new, enrol, code',
    },
  };

  test.each(kinds.flatMap((kind) => rules.map((rule) => [kind, rule] as const)))(
    '%s, where a second factor is %s: the way of a new person, and of one who comes back, has an end',
    async (kind, rule) => {
      const sub = unusual();
      const agent = new Agent(server);
      const { met } = await walk(agent, await apps[rule].begin(agent), kind, sub);
      expect(met.join(', ')).toBe(newcomers[kind][rule]);
      // In another browser, and then for the same application.
      const other = new Agent(server);
      const back = await walk(other, await apps.none.begin(other), kind, sub);
      expect(back.met).toEqual(secrets.has(sub) ? ['provider', 'second factor', 'code'] : ['provider', 'code']);
      const further = await walk(other, await apps[rule].begin(other), kind, sub);
      expect(further.met.at(-1)).toBe(met.at(-1));
    },
  );

  test.each<[Kind, string]>([
    ['telling', 'provider, /account/delete'],
    ['silent', 'provider, failed'],
    ['assumed', '/account/delete'],
    ['never', 'not offered'],
    ['github', '/account/delete'],
  ])('%s: what a silent sign-in opens of a person’s own pages', async (kind, way) => {
    const sub = unusual();
    const first = new Agent(server);
    await walk(first, await apps.none.begin(first), kind, sub);
    const agent = new Agent(server);
    await walk(agent, await apps.none.begin(agent), kind, sub);
    expect(placeOf(await agent.go('/account'))).toBe('/account');
    const { met } = await walk(agent, await agent.go('/account/delete'), kind, sub);
    expect(met.join(', ')).toBe(way);
  });

  test.each<[Kind, boolean]>([
    ['telling', false],
    ['silent', false],
    ['assumed', true],
    ['never', false],
    ['github', true],
  ])(
    '%s: a person who would have to sign in again for a second factor is not invited to add one',
    async (kind, invited) => {
      const sub = unusual();
      const first = new Agent(server);
      await walk(first, await apps.none.begin(first), kind, sub);
      // No one is on the first day.
      travel(90_000);
      const agent = new Agent(server);
      const { met } = await walk(agent, await apps.offered.begin(agent), kind, sub);
      expect(met).toEqual(['provider', ...(invited ? ['invited'] : []), 'code']);
      if (kind !== 'telling') return;
      const asked = await walk(agent, await apps.offered.begin(agent, { prompt: 'login' }), kind, sub);
      expect(asked.met).toEqual(['provider', 'invited', 'code']);
    },
  );

  test.each<[Kind, number | undefined]>([
    ['telling', 3600],
    ['silent', undefined],
    ['assumed', 0],
    ['never', undefined],
    ['github', 0],
  ])('%s: auth_time is what is known, and nothing where nothing is', async (kind, ago) => {
    const sub = unusual();
    const agent = new Agent(server);
    const { page } = await walk(agent, await apps.none.begin(agent), kind, sub);
    const { id } = await apps.none.claims(agent, page);
    if (ago === undefined) expect(id).not.toHaveProperty('auth_time');
    else expect(Math.abs(nowSeconds() - ago - Number(id.auth_time))).toBeLessThanOrEqual(30);
    // Signed in all the same, and for as long as others.
    travel(86_400);
    expect((await walk(agent, await apps.none.begin(agent), kind, sub)).met).toEqual(['code']);
  });

  test('a time to come is no later than now', async () => {
    const agent = new Agent(server);
    const address = await leave(agent, await apps.none.begin(agent), 'telling');
    const sub = unusual();
    provider.claims = { sub, auth_time: nowSeconds() + 86_400 };
    provider.userinfo = { sub };
    const page = await comeBackWith(agent, await provider.answer(address));
    expect(failureIn(page)).toBeUndefined();
    const after = await submitTo(agent, page, { upstream: 'create', username: unusual() });
    const { id } = await apps.none.claims(agent, after);
    expect(Number(id.auth_time)).toBeLessThanOrEqual(nowSeconds());
  });
});
