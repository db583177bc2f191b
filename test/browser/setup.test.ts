/** The first administrator's page, with every kind of mistake. */
import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildPerson, password, startServer, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { answerTo } from './journey.ts';
import { flaws } from './looks.ts';

const suite = describeWith('Chromium');

const good = { Username: 'keeper', Password: password };

suite('the set-up page', () => {
  let browser: Browser;
  let server: TestServer;

  onStage(async (stage) => {
    ({ browser, server } = stage);
    await buildPerson(server, { username: 'taken', email: 'taken@example.org' });
  });

  async function atSetup() {
    const link = await server.core.setup.createSetupLink();
    const visitor = await buildVisitor(browser, server);
    const address = `/setup?token=${link?.token}`;
    await visitor.page.goto(address);
    return { ...visitor, address };
  }

  async function send(page: Page, change: Partial<typeof good>): Promise<number> {
    for (const [label, value] of Object.entries({ ...good, ...change }))
      await page.getByLabel(label, { exact: true }).fill(value);
    // Past the browser's own checks: the server's are meant here.
    await page.evaluate('document.forms[0].noValidate = true');
    const answer = await answerTo(page, () => page.getByRole('button', { name: 'Create the account' }).click());
    return answer.status();
  }

  test('each mistake is named in its place; what was typed stays, but not the password; mended, it works, once', async () => {
    const { page, problems, address } = await atSetup();
    expect(await page.locator(':focus').getAttribute('name')).toBe('username');

    const mistakes: [string, Partial<typeof good>, RegExp][] = [
      ['username', { Username: '' }, /^Fill in this field/],
      ['username', { Username: 'no\u202ename here' }, /^This does not look right/],
      ['username', { Username: 'TAKEN' }, /^This is already taken/],
      ['username', { Username: 'kim@example.org' }, /^An e-mail address cannot be your username/],
      ['password', { Password: '' }, /^(Fill in this field|Too short)/],
      ['password', { Password: 'too short' }, /^Too short: use at least \d+ characters/],
      ['password', { Password: 'x'.repeat(2000) }, /^Too long/],
      ['password', { Password: 'passwordpassword' }, /^Too common/],
      ['password', { Password: 'keeper keeper keeper' }, /^Too (similar to your name|common)/],
    ];
    for (const [field, change, words] of mistakes) {
      expect([change, await send(page, change)]).toEqual([change, 422]);
      // Said once, below its field.
      expect(await page.getByRole('alert').count()).toBe(0);
      expect((await page.locator(`#${field}-error`).textContent())?.trim()).toMatch(words);
      expect(await page.locator('.wrong').count()).toBe(1);
      const wrong = page.locator(`#${field}`);
      expect(await wrong.getAttribute('aria-invalid')).toBe('true');
      expect(await wrong.getAttribute('aria-describedby')).toContain(`${field}-error`);
      expect(await page.locator(':focus').getAttribute('name')).toBe(field);
      expect(await page.locator('#username').inputValue()).toBe(
        'Username' in change ? String(change.Username).replace('\u202e', '') : good.Username,
      );
      expect(await page.locator('#password').inputValue()).toBe('');
      expect(await page.title()).toMatch(/^Problem: /);
    }
    expect(await flaws(page)).toEqual([]);

    expect(await send(page, {})).toBe(303);
    await page.waitForURL('**/setup/done');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Your account is ready');
    expect(await page.getByText('keeper').count()).toBe(1);
    const playground = page.getByRole('link', { name: 'Try a sign-in in the playground' });
    expect(await playground.getAttribute('href')).toBe('/playground');
    expect(await flaws(page)).toEqual([]);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy' }).first().click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^npm run cli -- clients register web /);
    await page.reload();
    await page.getByRole('link', { name: 'Add a second factor' }).click();
    expect(new URL(page.url()).pathname).toBe('/account/security');
    await page.goto('/account/sessions');
    expect(await page.getByText('this browser').count()).toBe(1);

    const again = await page.goto(address);
    expect(again?.status()).toBe(410);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('This link no longer works');
    expect(await page.getByText('npm run cli').count()).toBe(1);
    expect(problems).toEqual([]);
  });

  test('without scripts the administrator is signed in and sees the next steps too', async () => {
    const fresh = await startServer();
    try {
      const link = await fresh.core.setup.createSetupLink();
      const { page, problems } = await buildVisitor(browser, fresh, { javaScriptEnabled: false });
      await page.goto(`/setup?token=${link?.token}`);
      for (const [label, value] of Object.entries(good)) await page.getByLabel(label, { exact: true }).fill(value);
      await page.getByRole('button', { name: 'Create the account' }).click();
      await page.getByText('npm run cli -- clients register').waitFor();
      expect(await page.getByRole('button').count()).toBe(0);
      await page.getByRole('link', { name: 'Go to your account' }).click();
      await page.locator('main').getByText('keeper', { exact: true }).first().waitFor();
      expect(problems).toEqual([]);
    } finally {
      await fresh.close();
    }
  });
});
