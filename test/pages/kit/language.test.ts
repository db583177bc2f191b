/** Which language somebody gets, and how they choose another. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, type Answer, csrfOf, pkce } from '../../support/agent.ts';
import { enrol } from '../../support/authenticator.ts';
import { mailTo } from '../../support/mail.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../../support/server.ts';

// Languages of this test's own: what is tested is the choice, and an operator's folder on the way.
const viewsDir = mkdtempSync(join(tmpdir(), 'gatehouse-languages-'));
mkdirSync(join(viewsDir, 'texts'));
for (const tag of ['fr', 'he'])
  writeFileSync(join(viewsDir, 'texts', `${tag}.json`), JSON.stringify({ 'login.title': `login-${tag}` }));

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { VIEWS_DIR: viewsDir } });
});
afterAll(async () => {
  await server.close();
  rmSync(viewsDir, { recursive: true });
});

const languageOf = ({ text, headers }: { text: string; headers: Headers }) => {
  const [, lang, dir] = /^<!doctype html>\n<html lang="([^"]+)" dir="([^"]+)">/.exec(text) ?? [];
  expect(headers.get('content-language')).toBe(lang);
  expect(headers.get('vary')).toMatch(/Accept-Language.*Cookie/);
  expect(headers.get('cache-control')).toBe('no-store');
  return `${lang} ${dir}`;
};

const setLanguage = ({ subject }: { subject: string }, locale: string) =>
  server.core.accounts.setProfile(subject, { firstName: 'A', lastName: 'B', locale });

async function loginPage(agent: Agent, parameters: Record<string, string> = {}, acceptLanguage = 'en') {
  const client = await buildClient(server, {}, 'register');
  const query = new URLSearchParams({ response_type: 'code', client_id: client.id, scope: 'openid', ...parameters });
  const headers = { 'accept-language': acceptLanguage };
  const { location = '' } = await agent.go(`/oauth/authorize?${query}`, { headers, follow: false });
  return agent.go(location, { headers });
}

/** Chooses on the page that the link at the foot of `page` leads to. */
async function choose(agent: Agent, language: string, referer: string) {
  const page = await agent.go('/language', { headers: { referer } });
  const back = /name="back" value="([^"]*)"/.exec(page.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
  return agent.go('/language', { form: { csrf: csrfOf(page), back, language }, follow: false });
}

describe('chosen by', () => {
  test('Accept-Language; the request’s ui_locales before it', async () => {
    expect(languageOf(await loginPage(new Agent(server), {}, 'fr-CA, en;q=0.5'))).toBe('fr ltr');
    expect(languageOf(await loginPage(new Agent(server), { ui_locales: 'xx he' }, 'fr'))).toBe('he rtl');
  });

  test('the account, before Accept-Language and after ui_locales', async () => {
    const person = await buildPerson(server);
    await server.core.accounts.setProfile(
      person.subject,
      { firstName: 'A', lastName: 'B', locale: 'he' },
      { via: 'test', address: '127.0.0.1' },
    );
    const agent = new Agent(server);
    const client = await buildClient(server, {}, 'register');
    await agent.authorize(person, { client_id: client.id, scope: 'openid' });
    expect(languageOf(await agent.go('/', { headers: { 'accept-language': 'fr' } }))).toBe('he rtl');
    expect(languageOf(await agent.go('/oauth/logout', { headers: { 'accept-language': 'fr' } }))).toBe('he rtl');
    const consent = { prompt: 'consent', scope: 'openid profile' };
    expect(languageOf(await loginPage(agent, consent, 'fr'))).toBe('he rtl');
    expect(languageOf(await loginPage(agent, { ...consent, ui_locales: 'fr' }))).toBe('fr ltr');
  });

  test('the person’s choice in this browser, after ui_locales and before the account and Accept-Language', async () => {
    const agent = new Agent(server);
    const login = await loginPage(agent);
    const chosen = await choose(agent, 'fr', login.url);
    expect([chosen.status, chosen.location]).toEqual([303, login.url]);
    expect(languageOf(await agent.go(login.url))).toBe('fr ltr');
    expect(languageOf(await loginPage(agent, { ui_locales: 'he' }))).toBe('he rtl');
    expect(languageOf(await agent.go('/nowhere', { headers: { 'accept-language': 'he' } }))).toBe('fr ltr');
    const person = await buildPerson(server);
    await setLanguage(person, 'he');
    await agent.authorize(person, { client_id: (await buildClient(server, {}, 'register')).id, scope: 'openid' });
    expect(languageOf(await agent.go('/'))).toBe('fr ltr');
    expect(languageOf(await new Agent(server).go('/'))).toBe('en ltr');
    await choose(agent, '', login.url);
    expect(languageOf(await agent.go('/'))).toBe('he rtl');
  });

  test('nothing that 64 KB of wishes say (G6)', async () => {
    const agent = new Agent(server);
    const client = await buildClient(server, {}, 'register');
    const answer = await agent.go('/oauth/authorize', {
      form: { response_type: 'code', client_id: client.id, scope: 'openid', ui_locales: 'fr-'.repeat(21_845) },
    });
    expect(answer.status).toBeLessThan(500);
    const headers = { 'accept-language': 'x-'.repeat(5000) };
    expect(languageOf(await agent.go('/', { headers }))).toBe('en ltr');
  });
});

describe('a person whose account says so reads, whatever the browser says', () => {
  const inEnglish = { headers: { 'accept-language': 'en' } };

  async function signedIn() {
    const person = await buildPerson(server);
    await setLanguage(person, 'he');
    const agent = new Agent(server);
    const answer = await agent.authorize(person, await asked({}));
    expect(answer.location).toContain('code=');
    return { agent, person };
  }

  async function asked(metadata: Record<string, unknown>): Promise<Record<string, string>> {
    const { id } = await buildClient(server, metadata);
    return { client_id: id, scope: 'openid', code_challenge: pkce().challenge, code_challenge_method: 'S256' };
  }

  test.each(['login', 'select_account', 'consent'])('the pages of prompt=%s', async (prompt) => {
    const { agent } = await signedIn();
    expect(languageOf(await loginPage(agent, { prompt, scope: 'openid profile' }))).toBe('he rtl');
  });

  test.each(['/', '/language', '/nowhere', '/oauth/authorize?client_id=nobody', '/oauth/logout'])(
    '%s, from the sign-in on',
    async (path) => {
      const { agent } = await signedIn();
      expect(languageOf(await agent.go(path, inEnglish))).toBe('he rtl');
    },
  );

  test('the page after signing out, and the next person at the same browser their own', async () => {
    const { agent } = await signedIn();
    const out = await agent.confirmLogout(await agent.go('/oauth/logout', inEnglish));
    expect([new URL(out.url).pathname, languageOf(out)]).toEqual(['/oauth/logout/success', 'he rtl']);
    for (const path of ['/', '/nowhere']) expect(languageOf(await agent.go(path, inEnglish))).toBe('en ltr');
    const next = await buildPerson(server);
    await setLanguage(next, 'fr');
    await agent.authorize(next, await asked({}));
    expect(languageOf(await agent.go('/nowhere', inEnglish))).toBe('fr ltr');
  });

  test('the pages behind links that were mailed', async () => {
    const person = await buildPerson(server);
    await setLanguage(person, 'he');
    const account = await server.core.accounts.findBySubject(person.subject);
    if (!account) throw new Error('there is no account');
    const { path } = await server.core.passwordReset.makeLink(account, { via: 'test' });
    expect(languageOf(await new Agent(server).go(path, inEnglish))).toBe('he rtl');
    const caller = { via: 'browser', address: '192.0.2.7', requestId: 'r', locale: 'en' };
    await server.core.emails.requestChange(person.subject, `new-${person.email}`, caller);
    const { link = '' } = await mailTo(server, `new-${person.email}`, 'confirm-email');
    expect(languageOf(await new Agent(server).go(link, inEnglish))).toBe('he rtl');
  });

  test('the second factor', async () => {
    const person = await buildPerson(server);
    await setLanguage(person, 'he');
    await enrol(server.core.factors, person.subject);
    const agent = new Agent(server);
    const page = await agent.submit(await loginPage(agent), { username: person.username, password });
    expect(page.text).toContain('name="code"');
    expect(languageOf(await agent.go(page.url, inEnglish))).toBe('he rtl');
  });

  test('adding one where it is required: which, and the app', async () => {
    const person = await buildPerson(server);
    await setLanguage(person, 'he');
    const agent = new Agent(server);
    const query = new URLSearchParams({ response_type: 'code', ...(await asked({ second_factor: 'required' })) });
    const login = await agent.go(`/oauth/authorize?${query}`);
    const page = await agent.submit(login, { username: person.username, password });
    expect(page.text).toContain('value="app"');
    // The pages know whose they are, and need no cookie for it.
    const alone = async (answer: Answer) => {
      for (const [key, { name }] of agent.cookies) if (name === 'gatehouse-reader') agent.cookies.delete(key);
      return languageOf(await agent.go(answer.url, inEnglish));
    };
    expect(await alone(page)).toBe('he rtl');
    const app = await agent.submit(page, { answer: 'app' });
    expect([app.text, await alone(app)]).toEqual([expect.stringContaining('secret-key'), 'he rtl']);
  });

  test('a longer password', async () => {
    const person = await buildPerson(server);
    await setLanguage(person, 'he');
    await enrol(server.core.factors, person.subject);
    await server.core.accounts.setPassword(person.subject, 'wq7zplmk', { endSessions: false });
    await server.core.factors.removeAll(person.subject);
    const agent = new Agent(server);
    const page = await agent.submit(await loginPage(agent), { username: person.username, password: 'wq7zplmk' });
    expect([page.text, languageOf(page)]).toEqual([expect.stringContaining('name="new_password"'), 'he rtl']);
  });
});

describe('the page where a language is chosen', () => {
  test('offers every language there is in its own words, and says which one is shown', async () => {
    const { text } = await new Agent(server).go('/language', { headers: { 'accept-language': 'fr' } });
    const buttons = [...text.matchAll(/<button[^>]* value="(\w+)" lang="\w+"( aria-current="true")?><bdi>([^<]+)</g)];
    expect(buttons.map(([, tag, current, name]) => [tag, name, Boolean(current)])).toEqual(
      expect.arrayContaining([
        ['en', 'English', false],
        ['fr', 'Français', true],
        ['he', 'עברית', false],
      ]),
    );
  });

  test('does nothing without the form’s token, or from another site (B1)', async () => {
    const agent = new Agent(server);
    const csrf = csrfOf(await agent.go('/language'));
    const form = { language: 'fr', back: '/' };
    expect((await agent.go('/language', { form })).status).toBe(403);
    const foreign = { 'sec-fetch-site': 'cross-site' };
    expect((await agent.go('/language', { form: { ...form, csrf }, headers: foreign })).status).toBe(403);
    expect(agent.cookie('gatehouse-language')).toBeUndefined();
  });

  test.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\tevil',
    '/ evil',
    'javascript:alert(1)',
    '/language',
    '/language?x',
    `/${'x'.repeat(9000)}`,
    '',
  ])('leads nowhere else: %j', async (back) => {
    const agent = new Agent(server);
    const page = await agent.go('/language');
    const form = { csrf: csrfOf(page), back, language: 'fr' };
    expect((await agent.go('/language', { form, follow: false })).location).toBe(`${server.url}/`);
  });

  test.each(['https://evil.example/login', 'null', '', 'not an address'])(
    'a link from elsewhere leads home afterwards: %j',
    async (referer) => {
      const { text } = await new Agent(server).go('/language', { headers: { referer } });
      expect(text).toContain('name="back" value="/"');
    },
  );

  test('a choice that there is not is none', async () => {
    for (const language of ['xx', '../fr', '__proto__', 'FR;path=/']) {
      const agent = new Agent(server);
      const answer = await choose(agent, language, `${server.url}/`);
      expect(answer.status).toBe(303);
      expect(agent.cookie('gatehouse-language')).toBeUndefined();
    }
  });
});
