/** Which language somebody gets, and how they choose another. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent, csrfOf } from '../support/agent.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';

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

  test('the person’s choice in this browser, before all of them', async () => {
    const agent = new Agent(server);
    const login = await loginPage(agent, { ui_locales: 'he' });
    const chosen = await choose(agent, 'fr', login.url);
    expect([chosen.status, chosen.location]).toEqual([303, login.url]);
    expect(languageOf(await agent.go(login.url))).toBe('fr ltr');
    expect(languageOf(await agent.go('/nowhere', { headers: { 'accept-language': 'he' } }))).toBe('fr ltr');
    expect(languageOf(await new Agent(server).go('/'))).toBe('en ltr');
    await choose(agent, '', login.url);
    expect(languageOf(await agent.go(login.url))).toBe('he rtl');
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
