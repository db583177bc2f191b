/** `response_mode=form_post`: the page posts itself to the application under this server's own content security policy. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { pkce, token } from '../support/agent.ts';
import { buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { redeem } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { allow, authorizeAddress, signIn } from './journey.ts';

const suite = describeWith('Chromium');

suite('form_post', () => {
  let browser: Browser;
  let application: Server;
  let origin: string;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    // Shows what was posted to it.
    application = createServer(async (req, res) => {
      let body = '';
      for await (const part of req) body += String(part);
      res.setHeader('Content-Type', 'text/html');
      const shown = new URLSearchParams({ method: req.method ?? '', address: req.url ?? '' });
      res.end(
        `<!doctype html><title>App</title><link rel="icon" href="data:,"><pre>${shown}&amp;${body.replaceAll('&', '&amp;')}</pre>`,
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => application.once('listening', resolve));
    origin = `http://127.0.0.1:${(application.address() as AddressInfo).port}`;
    server = await startServer();
    client = await buildClient(server, { redirect_uris: [`${origin}/cb`] });
    browser = await launchChromium();
  });
  afterEach(() => closeVisitors(browser));
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    application?.close();
  });

  const inQuery = (verifier: { challenge: string }, more: Record<string, string>) =>
    Promise.resolve(authorizeAddress(server, client, { ...asked(verifier), ...more }));
  const asked = ({ challenge }: { challenge: string }) => ({
    redirect_uri: `${origin}/cb`,
    response_mode: 'form_post',
    code_challenge: challenge,
    state: 'a "state" with <marks> & signs',
  });
  async function pushed(verifier: { challenge: string }, more: Record<string, string>): Promise<string> {
    const form = {
      response_type: 'code',
      scope: 'openid profile',
      code_challenge_method: 'S256',
      ...asked(verifier),
      ...more,
    };
    const { body } = await token(server, client, form, '/oauth/par');
    const query = new URLSearchParams({ client_id: client.id, request_uri: String(body.request_uri) });
    return `${server.url}/oauth/authorize?${query}`;
  }

  test.each([
    ['from a query', inQuery],
    ['pushed', pushed],
  ])('%s: after a sign-in, with a live session, and for an error', async (_name, addressFor) => {
    const person = await buildPerson(server);
    const { page, problems } = await buildVisitor(browser, server, { alsoTo: [origin] });
    const arrived = async () => {
      await page.waitForURL(`${origin}/cb`);
      return new URLSearchParams((await page.locator('pre').textContent()) ?? '');
    };
    const first = pkce();
    await page.goto(await addressFor(first, {}));
    await signIn(page, person);
    await allow(page);
    const posted = await arrived();
    expect(Object.fromEntries(posted)).toMatchObject({
      ...{ method: 'POST', address: '/cb', state: 'a "state" with <marks> & signs' },
      iss: server.core.config.issuer,
    });
    const grant = { code: posted.get('code') ?? '', code_verifier: first.verifier, redirect_uri: `${origin}/cb` };
    expect((await redeem(server, client, grant)).status).toBe(200);

    await page.goto('about:blank');
    await page.goto(await addressFor(pkce(), {}));
    expect((await arrived()).get('code')).toMatch(/.{20}/);

    await page.context().clearCookies();
    await page.goto('about:blank');
    await page.goto(await addressFor(pkce(), { prompt: 'none' }));
    expect(Object.fromEntries(await arrived())).toMatchObject({ method: 'POST', error: 'login_required' });
    expect(problems).toEqual([]);
  });
});
