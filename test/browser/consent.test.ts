/** Being asked, being asked again, and not being asked. */
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { hostile } from '../pages/kit/view-states.ts';
import { pkce, token } from '../support/agent.ts';
import { commandLineAgent } from '../support/agent-documents.ts';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { type Outside, startOutside } from '../support/outside.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { allow, authorizeAddress, redirectUri, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('the consent page', () => {
  let browser: Browser;
  let server: TestServer;
  let outside: Outside;

  beforeAll(async () => {
    outside = await startOutside();
    [browser, server] = await Promise.all([
      launchChromium(),
      startServer({ env: { MCP: 'true' }, network: outside.network }),
    ]);
  });
  afterEach(() => closeVisitors(browser));
  afterAll(async () => {
    await browser.close();
    await server.close();
    await outside.close();
  });

  const bookshelf = (metadata = {}) =>
    buildClient(server, {
      client_uri: 'https://bookshelf.example/',
      policy_uri: 'https://bookshelf.example/privacy',
      tos_uri: 'https://bookshelf.example/terms',
      ...metadata,
    });

  async function atConsent(client: { id: string }, parameters?: Record<string, string>) {
    const person = await buildPerson(server);
    const visitor = await buildVisitor(browser, server);
    await visitor.page.goto(authorizeAddress(server, client, parameters));
    await signIn(visitor.page, person);
    await visitor.page.getByRole('heading', { name: /^Allow / }).waitFor();
    return { ...visitor, person };
  }

  const asked = (page: Page) => page.getByRole('listitem').allInnerTexts();

  test('an application may send the person on to another site of its own', async () => {
    const site = createServer((req, res) => {
      const { port } = site.address() as { port: number };
      if (req.url?.startsWith('/cb')) res.writeHead(302, { Location: `http://localhost:${port}/home` }).end();
      else res.end('<h1>Welcome to the bookshelf</h1>');
    });
    await new Promise<void>((resolve) => site.listen(0, resolve));
    try {
      const { port } = site.address() as { port: number };
      const redirect_uri = `http://127.0.0.1:${port}/cb`;
      const client = await buildClient(server, { redirect_uris: [redirect_uri], application_type: 'native' });
      const { page } = await atConsent(client, { redirect_uri });
      await allow(page);
      await page.getByRole('heading', { name: 'Welcome to the bookshelf' }).waitFor();
      expect(page.url()).toBe(`http://localhost:${port}/home`);
    } finally {
      site.closeAllConnections();
      site.close();
    }
  });

  test('names the application, its site, the account and each scope in plain words', async () => {
    const { page, person, problems } = await atConsent(await bookshelf(), {
      scope: 'openid profile email offline_access',
      prompt: 'consent',
    });
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Allow Bookshelf to use your account?');
    expect(await page.getByRole('link', { name: 'bookshelf.example' }).getAttribute('href')).toBe(
      'https://bookshelf.example/',
    );
    expect(await page.getByRole('link', { name: 'Privacy' }).getAttribute('href')).toMatch(/privacy$/);
    expect(await page.getByRole('link', { name: 'Terms' }).getAttribute('href')).toMatch(/terms$/);
    const who = page.locator('.who');
    expect(await who.textContent()).toContain('Test Person');
    expect(await who.textContent()).toContain(person.email);
    expect(await asked(page)).toEqual([
      'Recognise you',
      'See your name, username, picture, language and time zone',
      'See your e-mail address',
      'Stay connected when you are away',
    ]);
    expect(await page.getByText('Either answer takes you back to app.example.com.').count()).toBe(1);
    const sizes = await Promise.all(
      ['Deny', 'Allow'].map((name) => page.getByRole('button', { name, exact: true }).boundingBox()),
    );
    expect(sizes[0]?.width).toBe(sizes[1]?.width);
    expect(sizes[0]?.height).toBe(sizes[1]?.height);
    expect(problems).toEqual([]);
  });

  test('an application that a person registered says so: its name is whatever they chose', async () => {
    const mallory = await buildPerson(server);
    const made = await server.app.clients.register(
      { client_name: 'Google Drive', redirect_uris: [redirectUri] },
      { origin: 'person', owner: mallory.subject },
    );
    if (made.outcome !== 'registered') throw new Error(made.outcome);
    const { page, problems } = await atConsent(made.client);
    const said = 'Gatehouse has not checked this application. Continue only if you know who runs it.';
    expect((await page.locator('.note').allTextContents()).map((text) => text.trim())).toEqual([said]);
    expect((await page.locator('.origin').textContent())?.trim()).toBe(`registered by ${mallory.username}`);
    expect(await page.getByText('not reviewed').count()).toBe(1);
    expect(await flaws(page)).toEqual([]);
    // What an admin registered is the server's own word.
    await page.goto(authorizeAddress(server, await bookshelf()));
    await page.getByRole('heading', { name: 'Allow Bookshelf to use your account?' }).waitFor();
    expect(await page.locator('.note').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('denied: the application hears access_denied, and the next visit asks again', async () => {
    const client = await bookshelf();
    const { page, problems } = await atConsent(client, { state: 'kept' });
    await page.getByRole('button', { name: 'Deny' }).click();
    const answer = await arrived(page);
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', state: 'kept', iss: server.url });
    expect(answer.has('code')).toBe(false);

    await page.goto(authorizeAddress(server, client));
    await page.getByRole('heading', { name: /^Allow / }).waitFor();
    expect(problems).toEqual([]);
  });

  test('allowed once: the second visit has no page, also after signing in anew', async () => {
    const client = await bookshelf();
    const { page, person, problems } = await atConsent(client);
    await allow(page);
    await arrived(page);
    await page.goto(authorizeAddress(server, client));
    expect((await arrived(page)).has('code')).toBe(true);

    const again = await buildVisitor(browser, server);
    await again.page.goto(authorizeAddress(server, client));
    await signIn(again.page, person);
    expect((await arrived(again.page)).has('code')).toBe(true);
    expect([...problems, ...again.problems]).toEqual([]);
  });

  test('asks again only for what is new, and lists what is allowed; prompt=consent asks though all is granted', async () => {
    const client = await bookshelf();
    const { page, problems } = await atConsent(client);
    await allow(page);
    await arrived(page);

    await page.goto(authorizeAddress(server, client, { scope: 'openid profile email' }));
    await page.getByRole('heading', { name: /^Allow .* to do more/ }).waitFor();
    const [question, allowed] = await page.getByRole('list').all();
    expect(await question?.getByRole('listitem').allInnerTexts()).toEqual(['See your e-mail address new']);
    expect(await allowed?.getByRole('listitem').count()).toBe(2);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);

    await page.goto(authorizeAddress(server, client, { scope: 'openid email' }));
    expect((await arrived(page)).has('code')).toBe(true);
    await page.goto(authorizeAddress(server, client, { scope: 'openid email', prompt: 'consent' }));
    expect(await page.getByRole('list').count()).toBe(1);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a step-up asks for the missing scope of an API alone, and leaves what was allowed', async () => {
    const resource = 'https://notes.example';
    const scopes = [
      { name: 'notes:read', sentence: 'Read your notes.' },
      { name: 'notes:write', sentence: 'Change your notes.', optional: true },
    ];
    await server.core.apis.add({ identifier: resource, name: 'Notes', scopes });
    const client = await bookshelf();
    const { page, problems } = await atConsent(client, { scope: 'notes:read', resource });
    await allow(page);
    await arrived(page);
    await page.goto(authorizeAddress(server, client, { scope: 'notes:read notes:write', resource }));
    await page.getByRole('heading', { name: 'In Notes it will be able to:' }).waitFor();
    const [question, allowed] = await page.getByRole('list').all();
    expect(await question?.getByRole('listitem').allInnerTexts()).toEqual(['Change your notes. new optional']);
    expect(await allowed?.getByRole('listitem').allInnerTexts()).toEqual(['Read your notes.']);
    const box = page.getByRole('checkbox', { name: 'Change your notes.' });
    expect(await box.isChecked()).toBe(true);
    // The whole line is the box.
    await page.getByText('Change your notes.').click();
    expect(await box.isChecked()).toBe(false);
    await box.press('Space');
    expect(await box.isChecked()).toBe(true);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a scope of an API is asked for under the API’s name', async () => {
    const { page, problems } = await atConsent(await bookshelf(), { scope: 'user' });
    expect(await asked(page)).toEqual(['See your name, username and e-mail address']);
    expect(await page.getByRole('heading', { level: 2 }).textContent()).toMatch(/^In .+ it will be able to:$/);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('“Not you?” leads to another account, and the code is that account’s', async () => {
    const client = await bookshelf();
    const { verifier, challenge } = pkce();
    const { page, person, problems } = await atConsent(client, { code_challenge: challenge });
    const other = await buildPerson(server);
    await page.getByRole('button', { name: 'Not you?' }).click();
    await signIn(page, other);
    expect(await page.locator('.who').textContent()).toContain(other.email);
    expect(await page.locator('.who').textContent()).not.toContain(person.email);
    await allow(page);
    const code = (await arrived(page)).get('code') ?? '';
    const redeemed = await token(server, client, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    });
    expect(claimsOf(redeemed.body.id_token).sub).toBe(other.subject);

    await page.goto(authorizeAddress(server, client, { prompt: 'consent' }));
    expect(await page.locator('.who').textContent()).toContain(other.email);
    expect(problems).toEqual([]);
  });

  test('A10: a real public application on this machine gets its code; its person is asked every time, and told why', async () => {
    const port = await freePort();
    const requests: string[] = [];
    const application = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>Desk</title><link rel="icon" href="data:,">');
    });
    await new Promise<void>((resolve) => application.listen(port, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${port}/back`;
      const client = await buildClient(server, {
        ...{ client_name: 'Desk', redirect_uris: [address], application_type: 'native' },
        token_endpoint_auth_method: 'none',
      });
      const person = await buildPerson(server);
      const { page, problems } = await buildVisitor(browser, server, { alsoTo: [`http://127.0.0.1:${port}`] });
      for (const visit of [1, 2]) {
        const { verifier, challenge } = pkce();
        await page.goto(authorizeAddress(server, client, { redirect_uri: address, code_challenge: challenge }));
        if (visit === 1) await signIn(page, person);
        await page
          .getByText('We ask each time, because another program on this device could take the response')
          .waitFor();
        await allow(page);
        const code = (await arrived(page, address)).get('code') ?? '';
        const redeemed = await token(server, client, {
          grant_type: 'authorization_code',
          code,
          redirect_uri: address,
          code_verifier: verifier,
        });
        expect(redeemed.status).toBe(200);
        expect(claimsOf(redeemed.body.id_token).sub).toBe(person.subject);
      }
      await page.goto(authorizeAddress(server, client, { redirect_uri: address }));
      await page.getByRole('button', { name: 'Deny' }).click();
      expect((await arrived(page, address)).get('error')).toBe('access_denied');
      expect(requests.filter((url) => url.startsWith('/back?'))).toHaveLength(3);
      expect(problems).toEqual([]);
    } finally {
      application.closeAllConnections();
      application.close();
    }
  });

  test('an agent that a document describes: where it comes from, and that any program can pose as it', async () => {
    const { url, document, redirect } = commandLineAgent;
    outside.serve(new URL(url).host, (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ client_id: url, ...document }));
    });
    const { page, problems } = await atConsent({ id: url }, { redirect_uri: redirect });
    await page.getByText('This application describes itself at assistant.example.').waitFor();
    await page.getByText('where any other program can pose as it').waitFor();
    await page.getByText('takes you back to localhost:53682').waitFor();
    expect(problems).toEqual([]);
  });

  test('B15: hostile names of applications are text, and short', async () => {
    const logo = 'https://logo.example/x.png';
    const person = await buildPerson(server);
    outside.serve('logo.example', (_req, res) => {
      res.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from('89504e470d0a1a0a', 'hex'));
    });
    const visitor = await buildVisitor(browser, server);
    const { page, context } = visitor;
    const fetched: string[] = [];
    context.on('request', (request) => fetched.push(request.url()));

    let shown = 0;
    for (const name of [...hostile, 'W'.repeat(2000), `A${'\u0301'.repeat(900)}`]) {
      // A name that cannot be stored is refused at registration; that is as good.
      const made = await server.app.clients.register(
        { client_name: name, redirect_uris: [redirectUri], logo_uri: logo },
        { origin: 'admin', owner: null },
      );
      if (made.outcome !== 'registered') continue;
      await page.goto(authorizeAddress(server, made.client, { prompt: 'consent' }));
      if (shown === 0) {
        await checkHarmless(page);
        await signIn(page, person);
      }
      await page.getByRole('button', { name: 'Allow' }).waitFor();
      await checkHarmless(page);
      shown += 1;
    }
    expect(shown).toBeGreaterThanOrEqual(9);
    // The logo comes from this server: the browser tells its host nothing.
    expect(fetched.filter((url) => url.includes('/client-logo?')).length).toBeGreaterThanOrEqual(9);
    expect(visitor.problems).toEqual([]);
  });

  async function checkHarmless(page: Page): Promise<void> {
    expect(
      await page.locator('script:not([src^="/public/"]), [onerror], [onload], [onfocus], svg[onload]').count(),
    ).toBe(0);
    const heading = (await page.getByRole('heading', { level: 1 }).textContent()) ?? '';
    expect(heading.length).toBeLessThan(400);
    expect(heading).not.toContain('49');
    expect(heading).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  }
});

function claimsOf(jwt = ''): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());
}
