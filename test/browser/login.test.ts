/** Signing in, as a person meets it. */
import { describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { applicationSite, arrived, buildVisitor, type Visitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { allow, answerTo, authorizeAddress, isSignedIn, signIn } from './journey.ts';

const suite = describeWith('Chromium');

suite('the sign-in page', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;

  onStage(
    async (stage) => {
      ({ browser, server } = stage);
      client = await buildClient(server, { client_uri: 'https://bookshelf.example/' });
    },
    { env: { THROTTLE_ACCOUNT_LIMIT: '3' } },
  );

  async function atLogin(parameters?: Record<string, string>): Promise<Visitor> {
    const visitor = await buildVisitor(browser, server);
    await visitor.page.goto(authorizeAddress(server, client, parameters));
    return visitor;
  }

  test('signs in and, allowed, arrives at the application', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await atLogin({ state: 'a state+ü' });
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in to continue to Bookshelf');
    expect(await page.locator(':focus').getAttribute('name')).toBe('username');
    // Browsers offer passkeys in a field that asks for them.
    expect(await page.locator(':focus').getAttribute('autocomplete')).toBe('username webauthn');

    await signIn(page, person);
    await allow(page);
    const answer = await arrived(page);
    expect(answer.get('code')).toMatch(/^.{40,}$/);
    expect(answer.get('state')).toBe('a state+ü');
    expect(answer.get('iss')).toBe(server.url);
    expect(problems).toEqual([]);
  });

  test('by keyboard alone, from the name to the application', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await atLogin();
    await page.locator('#username:focus').waitFor();
    await page.keyboard.type(person.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(person.password);
    await page.keyboard.press('Enter');
    const button = page.getByRole('button', { name: 'Allow' });
    await button.waitFor();
    for (let presses = 0; presses < 10; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await page.locator(':focus').textContent()) === 'Allow') break;
    }
    await page.keyboard.press('Enter');
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a wrong password: says so in place, keeps the name, not the password', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await atLogin();
    const answer = await answerTo(page, () => signIn(page, person, 'not the password at all'));
    expect(answer.status()).toBe(422);

    expect(await page.getByLabel('Username or e-mail').inputValue()).toBe(person.username);
    const field = page.getByLabel('Password', { exact: true });
    expect(await saidOf(field)).toBe('Incorrect username or password. Check both and try again.');
    // Once, below the field.
    expect(await page.getByText('Incorrect').count()).toBe(1);
    expect(await page.getByRole('alert').count()).toBe(0);
    expect((await page.locator('#problem').boundingBox())?.y).toBeGreaterThan((await field.boundingBox())?.y ?? NaN);
    expect(await field.inputValue()).toBe('');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await page.locator(':focus').getAttribute('name')).toBe('password');
    expect(await page.title()).toMatch(/^Problem: /);

    await signIn(page, person);
    await allow(page);
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('a field left empty: says so, and keeps what was typed', async () => {
    const { page, problems } = await atLogin();
    await page.evaluate('document.forms[0].noValidate = true');
    await page.getByLabel('Username or e-mail').fill('ada <b>');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    const password = page.getByLabel('Password', { exact: true });
    await page.locator('#password[aria-invalid=true]').waitFor();
    expect(await saidOf(password)).toBe('Enter your password.');
    expect(await page.locator(':focus').getAttribute('name')).toBe('password');
    const username = page.getByLabel('Username or e-mail');
    expect([await username.inputValue(), await username.getAttribute('aria-invalid')]).toEqual(['ada <b>', null]);

    await page.evaluate('document.forms[0].noValidate = true');
    await username.fill(' ');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.locator('#username[aria-invalid=true]').waitFor();
    expect(await saidOf(username)).toBe('Enter your username or e-mail.');
    expect(await page.locator(':focus').getAttribute('name')).toBe('username');
    expect(await password.getAttribute('aria-invalid')).toBeNull();
    expect(problems).toEqual([]);
  });

  test('too many attempts: 429 with the time to wait, for the right password too', async () => {
    const person = await buildPerson(server);
    const { page, problems } = await atLogin();
    for (let attempt = 0; attempt < 3; attempt += 1)
      await answerTo(page, () => signIn(page, person, `wrong ${attempt}`));
    const response = await answerTo(page, () => signIn(page, person));
    expect(response.status()).toBe(429);
    expect(Number(response.headers()['retry-after'])).toBeGreaterThan(60);
    expect(await page.getByRole('alert').textContent()).toBe('Too many attempts. Try again in 15 minutes.');
    expect(await page.getByLabel('Username or e-mail').inputValue()).toBe(person.username);
    expect(problems).toEqual([]);
  });

  test('cancel goes back to the application with access_denied', async () => {
    const { page, problems } = await atLogin({ state: 'kept' });
    await page.getByRole('button', { name: 'Cancel' }).click();
    const answer = await arrived(page);
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', state: 'kept', iss: server.url });
    expect(answer.has('code')).toBe(false);
    expect(problems).toEqual([]);
  });

  test('login_hint fills in the name and puts the cursor into the password', async () => {
    const { page } = await atLogin({ login_hint: 'ada' });
    expect(await page.getByLabel('Username or e-mail').inputValue()).toBe('ada');
    expect(await page.locator(':focus').getAttribute('name')).toBe('password');
  });

  test('the password can be shown, and Caps Lock is pointed out', async () => {
    const { page, problems } = await atLogin();
    const field = page.getByLabel('Password', { exact: true });
    await field.fill('seen');
    await page.getByRole('button', { name: 'Show password' }).click();
    expect(await field.getAttribute('type')).toBe('text');
    await page.getByRole('button', { name: 'Show password', pressed: true }).click();
    expect(await field.getAttribute('type')).toBe('password');

    const press = (on: boolean) =>
      page.evaluate(
        `document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'A', bubbles: true, modifierCapsLock: ${on} }))`,
      );
    await field.focus();
    await press(true);
    expect(await page.locator('#caps').textContent()).toBe('Caps Lock is on.');
    await press(false);
    expect(await page.locator('#caps').textContent()).toBe('');
    expect(problems).toEqual([]);
  });

  test('A9: who aborts a second sign-in stays signed in as before, and the application gets no code', async () => {
    const person = await buildPerson(server);
    const { page, context, problems } = await atLogin();
    await signIn(page, person);
    await allow(page);
    await arrived(page);
    const before = await sessionCookie(context);

    await page.goto(authorizeAddress(server, client, { prompt: 'login' }));
    await page.getByRole('button', { name: 'Cancel' }).click();
    const answer = await arrived(page);
    expect(answer.get('error')).toBe('access_denied');
    expect(answer.has('code')).toBe(false);
    expect(await sessionCookie(context)).toBe(before);

    await page.goto(authorizeAddress(server, client));
    expect((await arrived(page)).has('code')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('B2: the session cookie is another one after each sign-in and after sign-out, and no old one is good', async () => {
    const person = await buildPerson(server);
    const { page, context } = await atLogin();
    const values = [await sessionCookie(context)];
    await signIn(page, person);
    await allow(page);
    await arrived(page);
    values.push(await sessionCookie(context));
    expect(await isSignedIn(page, server, client)).toBe(true);

    await page.goto(authorizeAddress(server, client, { prompt: 'login' }));
    await signIn(page, person);
    await arrived(page);
    values.push(await sessionCookie(context));

    await page.goto('/oauth/logout');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    values.push(await sessionCookie(context));
    const given = values.filter((value) => value !== undefined);
    expect(given.length).toBeGreaterThanOrEqual(2);
    expect(new Set(given).size).toBe(given.length);

    for (const value of given) {
      const visitor = await buildVisitor(browser, server);
      const cookies = [{ name: 'gatehouse', value, url: server.url }];
      await visitor.context.addCookies(cookies);
      expect(await isSignedIn(visitor.page, server, client)).toBe(false);
      await visitor.context.close();
    }
  });

  describe('B1: a form is good only from the page it was given to', () => {
    const refused = async (page: Page, person: { username: string }) => {
      const answer = await answerTo(page, () => signIn(page, person));
      expect(answer.status()).toBe(403);
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('This form has expired');
      expect(await isSignedIn(page, server, client)).toBe(false);
    };
    const setToken = (page: Page, value: string) =>
      page.evaluate(`document.querySelector('[name=csrf]').value = ${JSON.stringify(value)}`);

    test('without its token', async () => {
      const { page } = await atLogin();
      await setToken(page, '');
      await refused(page, await buildPerson(server));
    });

    test('with the token of another browser; starting again works', async () => {
      const person = await buildPerson(server);
      const [{ page, problems }, other] = await Promise.all([atLogin(), atLogin()]);
      await setToken(page, await other.page.locator('[name=csrf]').first().inputValue());
      await refused(page, person);
      await page.getByRole('link', { name: 'Start again' }).click();
      await signIn(page, person);
      await allow(page);
      expect((await arrived(page)).has('code')).toBe(true);
      expect(problems).toEqual([]);
    });

    test('from another site', async () => {
      const person = await buildPerson(server);
      const { page } = await atLogin();
      const action = page.url();
      const csrf = await page.locator('[name=csrf]').first().inputValue();
      await page.goto(`${applicationSite}/`);
      const answer = page.waitForResponse((response) => response.request().method() === 'POST');
      const fields = { csrf, username: person.username, password: person.password };
      await page.evaluate(`
        const form = Object.assign(document.createElement('form'), { method: 'post', action: ${JSON.stringify(action)} });
        for (const [name, value] of Object.entries(${JSON.stringify(fields)}))
          form.append(Object.assign(document.createElement('input'), { name, value }));
        document.body.append(form);
        form.submit();
      `);
      expect((await answer).status()).toBe(403);
      expect(await isSignedIn(page, server, client)).toBe(false);
    });
  });
});

/** What a screen reader says with the field. */
const saidOf = (field: Locator): Promise<string> =>
  field.evaluate((element) => {
    const ids: string[] = element.getAttribute('aria-describedby')?.split(' ') ?? [];
    return ids
      .map((id) => element.ownerDocument.getElementById(id)?.textContent?.trim() ?? '')
      .join(' ')
      .trim();
  });

async function sessionCookie(context: BrowserContext): Promise<string | undefined> {
  return (await context.cookies()).find(({ name }) => name === 'gatehouse')?.value;
}
