/** Back, two tabs, links that wander, impatient fingers: nothing breaks, and every dead end has a way to start again that works. */
import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { arrived, buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { allow, authorizeAddress, goBack, isSignedIn, signIn } from './journey.ts';

const suite = describeWith('Chromium');

suite('Back and tabs', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;

  onStage((stage) => {
    ({ browser, server } = stage);
  });

  async function atLogin(options: { javaScriptEnabled?: boolean } = {}) {
    client = await buildClient(server);
    const person = await buildPerson(server);
    const visitor = await buildVisitor(browser, server, options);
    await visitor.page.goto(authorizeAddress(server, client));
    return { ...visitor, person };
  }

  const stale = (page: Page) => page.getByRole('heading', { name: 'This sign-in link no longer works' });
  const startAgain = (page: Page) => page.getByRole('link', { name: 'Start again' }).click();

  test('Back after the login: stale, and starting again goes on', async () => {
    const { page, person, problems } = await atLogin();
    await signIn(page, person);
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    await goBack(page);
    // A browser may show the page as it was; sending it once more ends at the same place.
    if (await page.getByLabel('Password', { exact: true }).count()) await signIn(page, person);
    await stale(page).waitFor();
    await startAgain(page);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('Back after the consent: stale, and starting again arrives at the application', async () => {
    const { page, person, problems } = await atLogin();
    await signIn(page, person);
    await allow(page);
    const first = (await arrived(page)).get('code');
    await goBack(page);
    if (await page.getByRole('button', { name: 'Allow' }).count()) await allow(page);
    await stale(page).waitFor();
    await startAgain(page);
    const second = (await arrived(page)).get('code');
    expect(second).toBeTruthy();
    expect(second).not.toBe(first);
    expect(problems).toEqual([]);
  });

  test('two tabs with a sign-in of their own: both finish', async () => {
    const { page, person, newTab, problems } = await atLogin();
    const other = await newTab();
    await other.goto(authorizeAddress(server, client, { state: 'the other tab' }));
    await signIn(page, person);
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    await signIn(other, person);
    await other.getByRole('button', { name: 'Allow' }).waitFor();
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    await allow(other);
    const answer = await arrived(other);
    expect(answer.has('code')).toBe(true);
    expect(answer.get('state')).toBe('the other tab');
    expect(problems).toEqual([]);
  });

  test('the same sign-in open in two tabs: the second is stale and can start again', async () => {
    const { page, person, newTab, problems } = await atLogin();
    const other = await newTab();
    await other.goto(page.url());
    await signIn(page, person);
    await allow(page);
    await arrived(page);
    await signIn(other, person);
    await stale(other).waitFor();
    await startAgain(other);
    expect((await arrived(other)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('B3: a link from another browser is refused; starting again signs in there, and the first goes on', async () => {
    const first = await atLogin();
    const second = await buildVisitor(browser, server);
    const somebody = await buildPerson(server);
    const answer = await second.page.goto(first.page.url());
    expect(answer?.status()).toBe(400);
    await stale(second.page).waitFor();
    expect(await second.page.locator('form').count()).toBe(0);
    await startAgain(second.page);
    await signIn(second.page, somebody);
    await allow(second.page);
    expect((await arrived(second.page)).has('code')).toBe(true);

    await signIn(first.page, first.person);
    await allow(first.page);
    expect((await arrived(first.page)).has('code')).toBe(true);
    expect([...first.problems, ...second.problems]).toEqual([]);
  });

  test('B3: the way back into the engine is bound to its browser too', async () => {
    const { page, person, problems } = await atLogin();
    const uid = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    const second = await buildVisitor(browser, server);
    const answer = await second.page.goto(`/oauth/authorize/${uid}`);
    expect(answer?.status()).toBe(400);
    await stale(second.page).waitFor();
    expect(await isSignedIn(second.page, server, client)).toBe(false);
    await signIn(page, person);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect([...problems, ...second.problems]).toEqual([]);
  });

  test('a link nobody knows says what to do', async () => {
    const { page, problems } = await atLogin();
    const answer = await page.goto('/interaction/there-never-was-one');
    expect(answer?.status()).toBe(400);
    await stale(page).waitFor();
    expect(await page.getByText('Go back to the application you came from').count()).toBe(1);
    expect(problems).toEqual([]);
  });

  for (const javaScriptEnabled of [true, false]) {
    test(`pressing twice is harmless, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async () => {
      const { page, person, problems } = await atLogin({ javaScriptEnabled });
      await page.getByLabel('Username or e-mail').fill(person.username);
      await page.getByLabel('Password', { exact: true }).fill(person.password);
      await page.getByRole('button', { name: 'Sign in', exact: true }).dblclick();
      await page.getByRole('button', { name: 'Allow' }).waitFor();
      await page.getByRole('button', { name: 'Allow' }).dblclick();
      expect((await arrived(page)).has('code')).toBe(true);
      expect(problems).toEqual([]);
    });
  }

  test('while a form is on its way its button says so, and a second press sends nothing', async () => {
    const { page, person } = await atLogin();
    let posts = 0;
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/interaction/*', async (route) => {
      if (route.request().method() === 'POST') posts += 1;
      await held;
      await route.continue();
    });
    await page.getByLabel('Username or e-mail').fill(person.username);
    await page.getByLabel('Password', { exact: true }).fill(person.password);
    const pressed = await page.evaluate(`(() => {
      let sent = 0;
      addEventListener('submit', (event) => (sent += event.defaultPrevented ? 0 : 1));
      const button = document.querySelector('button[type=submit]');
      button.click();
      button.click();
      return [button.getAttribute('aria-busy'), button.textContent, sent];
    })()`);
    expect(pressed).toEqual(['true', 'Signing in…', 1]);
    release();
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    expect(posts).toBe(1);
  });
});
