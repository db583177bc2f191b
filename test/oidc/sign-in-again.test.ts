/** A person who is signed in and is asked to sign in once more is told why. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { visit, words } from '../pages/account/visitor.ts';
import { Agent, type Answer, pkce } from '../support/agent.ts';
import { comeBack, travel } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

const { challenge } = pkce();

describe('the sign-in page, to a person who is signed in', () => {
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    server = await startServer();
    client = await buildClient(server);
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  function begin(agent: Agent, extra: Record<string, string> = {}): Promise<Answer> {
    const query = { response_type: 'code', client_id: client.id, scope: 'openid', ...extra };
    const pkceToo = { code_challenge: challenge, code_challenge_method: 'S256' };
    return agent.go(`/oauth/authorize?${new URLSearchParams({ ...query, ...pkceToo })}`);
  }

  const some = {
    account: {
      en: 'Sign in again to change your account',
      de: 'Melden Sie sich noch einmal an, um Ihr Konto zu ändern',
      ar: 'سجّل الدخول مرة أخرى لتغيير حسابك',
    },
    old: {
      en: 'Your last sign-in was some time ago',
      de: 'Ihre letzte Anmeldung liegt einige Zeit zurück',
      ar: 'مضى بعض الوقت على آخر تسجيل دخول لك',
    },
    asked: {
      en: 'You are already signed in',
      de: 'Sie sind bereits angemeldet',
      ar: 'أنت مسجّل الدخول بالفعل',
    },
  };
  const sentences = Object.values(some).flatMap((texts) => Object.values(texts));
  const said = (page: Answer) => sentences.filter((sentence) => words(page).includes(sentence));

  test.each(['en', 'de', 'ar'] as const)('says what for, in %s', async (locale) => {
    const { agent } = await visit(server);
    travel(400);
    const { location = '' } = await agent.go('/account/password', { follow: false });
    expect(said(await agent.go(`${location}&ui_locales=${locale}`))).toEqual([some.account[locale]]);
    const old = await begin(agent, { max_age: '100', ui_locales: locale });
    expect(said(old)).toEqual([some.old[locale]]);
    const asked = await begin(agent, { prompt: 'login', ui_locales: locale });
    expect(said(asked)).toEqual([some.asked[locale]]);
    // It is there still when something was wrong.
    expect(said(await agent.submit(asked, { username: 'x', password: 'wrong' }))).toEqual([some.asked[locale]]);
  });

  test('and where a factor is to be added', async () => {
    const strict = await buildClient(server, { second_factor: 'required' });
    const { agent } = await visit(server);
    travel(400);
    expect(said(await begin(agent, { client_id: strict.id }))).toEqual([some.old.en]);
  });

  test('says nothing of it to a stranger, nor to a person whose session has ended', async () => {
    const stranger = new Agent(server);
    for (const extra of [{}, { prompt: 'login' }, { max_age: '0' }] as Record<string, string>[])
      expect(said(await begin(stranger, extra))).toEqual([]);
    expect(said(await stranger.go('/account/password'))).toEqual([]);
    const { agent, person } = await visit(server);
    await server.core.sessions.endAll(person.subject);
    expect(said(await agent.go('/account/password'))).toEqual([]);
  });

  test('nor to a person who wants to sign in as another', async () => {
    const { agent } = await visit(server);
    const other = await buildPerson(server);
    const page = await begin(agent, { prompt: 'select_account' });
    const login = await agent.submit(page, { account: 'other' });
    expect(login.text).toContain('name="password"');
    expect(said(login)).toEqual([]);
    expect((await agent.submit(login, { username: other.username, password })).status).toBeLessThan(400);
  });
});
