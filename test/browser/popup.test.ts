/**
 * A window that an application opens for a sign-in: on every way through this server's pages it stays connected with the
 * page that opened it, which is of another origin (clients.md; security.md A14). Chromium cuts the two apart for good at the first
 * response that says otherwise, so that the answer which arrives at the end speaks for the whole way.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { randomToken } from '../../src/base/secrets.ts';
import { startUpstream, startWith } from '../login/upstream/world.ts';
import { pkce } from '../support/agent.ts';
import { codeOf } from '../support/authenticator.ts';
import { buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { redeem } from '../support/flow.ts';
import { freePort } from '../support/free-port.ts';
import { linkIn, mailTo } from '../support/mail.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { allow, authorizeAddress, keepCodes, signIn } from './journey.ts';

const suite = describeWith('Chromium');

/** The application: a page that opens a window and waits for its word, and the address that the window comes back to. */
const page = (script: string) =>
  `<!doctype html><title>App</title><link rel="icon" href="data:,"><script>${script}</script>`;
const opening = page("addEventListener('message', (event) => { (window.heard ??= []).push(event.data); })");
const returning = page(
  "if (opener) opener.postMessage(location.href, '*'); document.title = opener ? 'connected' : 'alone'",
);

suite('a window that an application has opened', () => {
  let browser: Browser;
  let application: Server;
  let origin: string;
  let upstream: TestServer;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    application = createServer((req, res) => {
      res.setHeader('Content-Type', 'text/html');
      res.end(req.url === '/' ? opening : returning);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => application.once('listening', resolve));
    origin = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
    const port = await freePort();
    const there = await startUpstream({ PORT: String(port), ISSUER: `http://127.0.0.1:${port}`, HOST: '127.0.0.1' });
    upstream = there.server;
    server = await startWith({ start: (env) => startServer({ env: env ?? {} }) }, async (issuer) => [
      await there.provider(issuer, 'company', { trust_email: true }),
    ]);
    client = await buildClient(server, {
      redirect_uris: [`${origin}/cb`],
      post_logout_redirect_uris: [`${origin}/bye`],
    });
    browser = await launchChromium();
  });
  afterEach(() => closeVisitors(browser));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await upstream?.close();
    application?.close();
  });

  const addressOf = (more: Record<string, string> = {}, of = client) =>
    authorizeAddress(server, of, { redirect_uri: `${origin}/cb`, ...more });

  interface Walk {
    readonly opener: Page;
    readonly popup: Page;
    readonly problems: readonly string[];
    readonly context: BrowserContext;
  }

  /** At the application, with its window at `address`. */
  async function opened(address: string, context?: BrowserContext): Promise<Walk> {
    const alsoTo = [origin, upstream.url];
    const visitor = context ? undefined : await buildVisitor(browser, server, { alsoTo });
    const within = context ?? visitor?.context;
    if (!within) throw new Error('there is no browser');
    const opener = visitor?.page ?? (await within.newPage());
    await opener.goto(`${origin}/`);
    const [popup] = await Promise.all([
      within.waitForEvent('page'),
      opener.evaluate(`void window.open(${JSON.stringify(address)}, 'sign-in', 'popup')`),
    ]);
    return { opener, popup, problems: visitor?.problems ?? [], context: within };
  }

  /** What the application hears from its window. */
  async function heard({ opener, popup, problems }: Walk): Promise<URL> {
    await popup.waitForURL((url) => url.origin === origin);
    await popup.waitForFunction("document.title === 'connected' || document.title === 'alone'");
    expect(await popup.title()).toBe('connected');
    await opener.waitForFunction('window.heard?.length > 0');
    const [address] = await opener.evaluate<string[]>('window.heard');
    expect(problems).toEqual([]);
    return new URL(address ?? '');
  }
  const hasCode = async (walk: Walk) => expect((await heard(walk)).searchParams.has('code')).toBe(true);

  test('A14: sign-in, a wrong password first, and another language on the way', async () => {
    const person = await buildPerson(server);
    const walk = await opened(addressOf());
    await walk.popup.getByRole('link', { name: 'Language: English' }).click();
    await walk.popup.getByRole('button', { name: 'Deutsch' }).click();
    await walk.popup.getByRole('link', { name: 'Sprache: Deutsch' }).click();
    await walk.popup.getByRole('button', { name: 'English' }).click();
    await signIn(walk.popup, person, 'not the password at all');
    await walk.popup.locator('[aria-invalid=true]').first().waitFor();
    await signIn(walk.popup, person);
    await allow(walk.popup);
    await hasCode(walk);
  });

  test('A14: who says no, and an authorization without a page', async () => {
    const person = await buildPerson(server);
    const walk = await opened(addressOf());
    await signIn(walk.popup, person);
    await walk.popup.getByRole('button', { name: 'Deny' }).click();
    expect((await heard(walk)).searchParams.get('error')).toBe('access_denied');
    const silent = await opened(addressOf({ prompt: 'none' }), walk.context);
    expect((await heard(silent)).searchParams.get('error')).toBe('consent_required');
  });

  test.each([
    ['from the sign-in page', {}],
    ['P13: asked for by prompt=create', { prompt: 'create' }],
  ])('A14: sign-up %s', async (_name, parameters) => {
    const username = `popup-${randomToken(6).replace(/\W|_/g, 'x')}`;
    const walk = await opened(addressOf(parameters));
    const { popup } = walk;
    if (!('prompt' in parameters)) await popup.getByRole('link', { name: 'Create an account' }).click();
    await popup.getByRole('heading', { name: 'Create an account to continue to Bookshelf' }).waitFor();
    await popup.getByLabel('Username', { exact: true }).fill(username);
    await popup.getByLabel('E-mail', { exact: true }).fill(`${username}@example.org`);
    await popup.getByLabel('Password', { exact: true }).fill(password);
    await popup.getByRole('button', { name: 'Create the account' }).click();
    await allow(popup);
    await hasCode(walk);
  });

  test('A14: a forgotten password', async () => {
    const person = await buildPerson(server);
    const another = 'eleven quiet foxes by the pond';
    const walk = await opened(addressOf());
    const { popup } = walk;
    await popup.getByRole('link', { name: 'Forgot password?' }).click();
    await popup.getByLabel('Username or e-mail').fill(person.username);
    await popup.getByRole('button', { name: 'Send the link' }).click();
    await popup.getByRole('heading', { name: 'Check your e-mail' }).waitFor();
    const link = linkIn(await mailTo(server, person.email ?? '', 'reset-password'));
    // Followed by the window itself, as a link in a web mail would be.
    await popup.evaluate(`void location.assign(${JSON.stringify(link)})`);
    await popup.getByLabel('New password').fill(another);
    await popup.getByRole('button', { name: 'Set the password' }).click();
    await allow(popup);
    await hasCode(walk);
  });

  test('A14: adding a second factor', async () => {
    const strict = await buildClient(server, { redirect_uris: [`${origin}/cb`], second_factor: 'required' });
    const walk = await opened(addressOf({}, strict));
    const { popup } = walk;
    await signIn(popup, await buildPerson(server));
    await popup.getByRole('button', { name: 'Set up an authenticator app' }).click();
    const secret = ((await popup.locator('.secret-key').textContent()) ?? '').replaceAll(' ', '');
    await popup.getByLabel('Code from the app').fill(codeOf(secret));
    await popup.getByRole('button', { name: 'Confirm' }).click();
    await keepCodes(popup);
    await allow(popup);
    await hasCode(walk);
  });

  test('A14: through another provider, there and back', async () => {
    const person = await buildPerson(upstream);
    const walk = await opened(addressOf());
    const { popup } = walk;
    await popup.getByRole('link', { name: 'Continue with Example Company' }).click();
    await popup.waitForURL((url) => url.origin === upstream.url);
    await signIn(popup, person);
    await allow(popup);
    await popup.waitForURL((url) => url.origin === server.url);
    await popup.getByRole('button', { name: 'Create' }).click();
    await allow(popup);
    await hasCode(walk);
  });

  test('A14: signing out', async () => {
    const { verifier, challenge } = pkce();
    const walk = await opened(addressOf({ code_challenge: challenge }));
    await signIn(walk.popup, await buildPerson(server));
    await allow(walk.popup);
    const code = (await heard(walk)).searchParams.get('code') ?? '';
    const grant = { code, code_verifier: verifier };
    const { body } = await redeem(server, client, grant, { redirect_uri: `${origin}/cb` });
    const back = { client_id: client.id, post_logout_redirect_uri: `${origin}/bye`, state: 'over' };
    for (const proof of [{}, { id_token_hint: body.id_token ?? '' }]) {
      const query = new URLSearchParams({ ...back, ...proof });
      const out = await opened(`${server.url}/oauth/logout?${query}`, walk.context);
      // With an ID token nothing is asked.
      if (!('id_token_hint' in proof)) await out.popup.getByRole('button', { name: 'Sign out' }).click();
      expect((await heard(out)).searchParams.get('state')).toBe('over');
    }
  });

  test('A14: everywhere else the two are cut apart', async () => {
    for (const path of ['/', '/sign-up', '/nowhere', '/openapi']) {
      const { popup } = await opened(server.url + path);
      await popup.waitForLoadState();
      expect([path, await popup.evaluate('opener === null')]).toEqual([path, true]);
    }
  });
});
