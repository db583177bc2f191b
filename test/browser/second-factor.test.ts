/**
 * The page after the password, as a person meets it. What it lets through and what not is in
 * test/oidc/second-factor.test.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Authenticator, enrol } from '../support/authenticator.ts';
import { arrived, buildVisitor, closeVisitors, launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { comeBack, travel } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';
import { allow, answerTo, authorizeAddress, goBack, isSignedIn, signIn } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

suite('the second factor', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;

  beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer({ env: { THROTTLE_ACCOUNT_LIMIT: '4' } })]);
    client = await buildClient(server, { client_uri: 'https://bookshelf.example/' });
  });
  afterEach(async () => {
    comeBack();
    await closeVisitors(browser);
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  const codeField = (page: Page) => page.getByLabel('Code', { exact: true });
  const recoveryField = (page: Page) => page.getByLabel('Recovery code', { exact: true });
  /** Below the field, and described by it. */
  const problem = (page: Page) => page.locator('.wrong#problem').textContent();
  const goOn = (page: Page) => page.getByRole('button', { name: 'Continue' }).click();
  const atCode = (page: Page) => page.getByRole('heading', { name: 'Enter your code' }).waitFor();

  async function give(page: Page, code: string): Promise<void> {
    await codeField(page).fill(code);
    await goOn(page);
  }

  /** At the page that asks for the code. */
  async function halfway(options: { javaScriptEnabled?: boolean } = {}) {
    const person = await buildPerson(server);
    const app: Authenticator = await enrol(server.core.factors, person.subject);
    const visitor = await buildVisitor(browser, server, options);
    await visitor.page.goto(authorizeAddress(server, client));
    await signIn(visitor.page, person);
    await atCode(visitor.page);
    return { ...visitor, person, app };
  }

  async function ends(page: Page): Promise<void> {
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
  }

  for (const javaScriptEnabled of [true, false]) {
    describe(`JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, () => {
      test('password, code, application; the field is right for a phone', async () => {
        const { page, app, person, problems } = await halfway({ javaScriptEnabled });
        if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
        expect(await page.locator(':focus').getAttribute('name')).toBe('code');
        const field = codeField(page);
        expect(await field.getAttribute('autocomplete')).toBe('one-time-code');
        expect(await field.getAttribute('inputmode')).toBe('numeric');
        expect(await page.locator('.who').textContent()).toContain(person.username);
        // As an app shows it, and as it is pasted.
        await give(page, ` ${app.fresh().replace(/^(...)/, '$1 ')} `);
        await ends(page);
        expect(await isSignedIn(page, server, client)).toBe(true);
        expect(problems).toEqual([]);
      });

      test('a wrong code: said in place, and the next one goes on', async () => {
        const { page, app, problems } = await halfway({ javaScriptEnabled });
        const answer = await answerTo(page, () => give(page, app.wrong()));
        expect(answer.status()).toBe(422);
        expect(await problem(page)).toMatch(/^That code is incorrect/);
        expect(await codeField(page).inputValue()).toBe('');
        expect(await codeField(page).getAttribute('aria-invalid')).toBe('true');
        expect(await page.locator(':focus').getAttribute('name')).toBe('code');
        expect(await page.title()).toMatch(/^Problem: /);
        if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
        await give(page, app.fresh());
        await ends(page);
        expect(problems).toEqual([]);
      });

      test('a recovery code instead, and back to the app', async () => {
        const { page, app, problems } = await halfway({ javaScriptEnabled });
        await page.getByRole('link', { name: 'Use a recovery code instead' }).click();
        await recoveryField(page).waitFor();
        if (javaScriptEnabled) expect(await flaws(page)).toEqual([]);
        await page.getByRole('link', { name: 'Use the authenticator app instead' }).click();
        await atCode(page);
        await page.getByRole('link', { name: 'Use a recovery code instead' }).click();
        await recoveryField(page).fill('0000-0000-0000-0000');
        await goOn(page);
        // Still the same question, not the other one.
        expect(await problem(page)).toMatch(/^That code is incorrect/);
        await recoveryField(page).fill(app.recoveryCodes[0]?.toUpperCase() ?? '');
        await goOn(page);
        await ends(page);
        expect(problems).toEqual([]);
      });

      test('pressing twice is harmless', async () => {
        const { page, app, problems } = await halfway({ javaScriptEnabled });
        await codeField(page).fill(app.fresh());
        await page.getByRole('button', { name: 'Continue' }).dblclick();
        await ends(page);
        expect(problems).toEqual([]);
      });
    });
  }

  test('by keyboard alone', async () => {
    const { page, app, problems } = await halfway();
    await page.locator('#code:focus').waitFor();
    await page.keyboard.type(app.fresh());
    await page.keyboard.press('Enter');
    await ends(page);
    expect(problems).toEqual([]);
  });

  test('what cannot be a code is not even sent', async () => {
    const { page, problems } = await halfway();
    await give(page, '12345');
    expect(await page.locator('#code:invalid').count()).toBe(1);
    await page.evaluate('document.forms[0].noValidate = true');
    await codeField(page).fill('');
    await goOn(page);
    expect(await problem(page)).toMatch(/^Nothing was entered/);
    expect(problems).toEqual([]);
  });

  test('a code that has been used says so', async () => {
    const { page, app, person, problems } = await halfway();
    const code = app.fresh();
    await give(page, code);
    await ends(page);
    const other = await buildVisitor(browser, server);
    await other.page.goto(authorizeAddress(server, client));
    await signIn(other.page, person);
    await give(other.page, code);
    expect(await problem(other.page)).toMatch(/^That code was already used/);
    await give(other.page, app.fresh());
    expect((await arrived(other.page)).has('code')).toBe(true);
    expect([...problems, ...other.problems]).toEqual([]);
  });

  test('“not you?” starts again, without a word of blame', async () => {
    const { page, problems } = await halfway();
    const other = await buildPerson(server);
    await page.getByRole('button', { name: 'Not you?' }).click();
    await page.getByLabel('Username or e-mail').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    await signIn(page, other);
    await ends(page);
    expect(problems).toEqual([]);
  });

  test('cancel goes back to the application', async () => {
    const { page, problems } = await halfway();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect((await arrived(page)).get('error')).toBe('access_denied');
    expect(problems).toEqual([]);
  });

  test('Back to the password and another account: the other account signs in', async () => {
    const { page, problems } = await halfway();
    const other = await buildPerson(server);
    await goBack(page);
    // A browser may show the page as it was, or ask the server, which knows where this sign-in stands.
    if (!(await page.getByLabel('Username or e-mail').count()))
      await page.getByRole('button', { name: 'Not you?' }).click();
    await signIn(page, other);
    await ends(page);
    expect(problems).toEqual([]);
  });

  test('Back after the code: stale, and starting again goes on', async () => {
    const { page, app, problems } = await halfway();
    await give(page, app.fresh());
    await page.getByRole('button', { name: 'Allow' }).waitFor();
    await goBack(page);
    if (await codeField(page).count()) await give(page, app.fresh());
    await page.getByRole('heading', { name: 'This sign-in link no longer works' }).waitFor();
    await page.getByRole('link', { name: 'Start again' }).click();
    await ends(page);
    expect(problems).toEqual([]);
  });

  test('two tabs of one sign-in: whichever comes second is stale and can start again', async () => {
    const { page, app, newTab, problems } = await halfway();
    const other = await newTab();
    await other.goto(page.url());
    await atCode(other);
    await give(page, app.fresh());
    await ends(page);
    await give(other, app.fresh());
    await other.getByRole('heading', { name: 'This sign-in link no longer works' }).waitFor();
    await other.getByRole('link', { name: 'Start again' }).click();
    await arrived(other);
    expect(problems).toEqual([]);
  });

  test('a page left open for more than five minutes asks for the password once more, and keeps the name', async () => {
    const { page, app, person, problems } = await halfway();
    travel(301);
    await give(page, app.fresh());
    expect(await page.getByRole('alert').textContent()).toMatch(/^Enter your password again/);
    expect(await page.getByLabel('Username or e-mail').inputValue()).toBe(person.username);
    expect(await page.locator(':focus').getAttribute('name')).toBe('password');
    expect(await flaws(page)).toEqual([]);
    await signIn(page, person);
    await give(page, app.fresh());
    await ends(page);
    expect(problems).toEqual([]);
  });

  test('too many: 429 with the time to wait', async () => {
    const { page, app, problems } = await halfway();
    for (let n = 0; n < 4; n += 1) await answerTo(page, () => give(page, app.wrong()));
    const answer = await answerTo(page, () => give(page, app.fresh()));
    expect(answer.status()).toBe(429);
    expect(await page.getByRole('alert').textContent()).toMatch(/^Too many attempts. Try again in 15 minutes/);
    expect(problems).toEqual([]);
  });
});
