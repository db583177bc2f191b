/** Several accounts in one browser, as a person meets them: with the pointer, by keyboard, without JavaScript. */
import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { arrived, buildVisitor } from '../support/chromium.ts';
import { describeWith } from '../support/describe-with.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { onStage } from '../support/stage.ts';
import { allow, authorizeAddress, goBack } from './journey.ts';

const suite = describeWith('Chromium');

suite('the account chooser', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  onStage(async (stage) => {
    ({ browser, server } = stage);
    client = await buildClient(server);
  });

  type Person = Awaited<ReturnType<typeof buildPerson>>;
  const box = (page: Page) => page.getByRole('checkbox', { name: /Stay signed in/ });
  const select = () => authorizeAddress(server, client, { prompt: 'select_account' });

  async function signIn(page: Page, person: Person, keep: boolean): Promise<void> {
    await page.fill('#username', person.username);
    await page.fill('#password', password);
    await box(page).setChecked(keep);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.waitForLoadState();
  }

  /** Two people have signed in here and been remembered; the second is signed in. */
  async function shared(options: Parameters<typeof buildVisitor>[2] = {}) {
    const people = [await buildPerson(server), await buildPerson(server)] as const;
    const { page, problems } = await buildVisitor(browser, server, options);
    for (const person of people) {
      await page.goto(authorizeAddress(server, client));
      await signIn(page, person, true);
      await allow(page);
      await arrived(page);
      if (person === people[0]) await page.context().clearCookies({ name: /^gatehouse(\.sig)?$/ });
    }
    return { page, people, problems };
  }

  test('whoever is signed in goes on by one click', async () => {
    const { page, people, problems } = await shared();
    await page.goto(select());
    await page.getByRole('heading', { name: 'Choose an account' }).waitFor();
    await page.getByRole('button', { name: people[1].username }).filter({ hasText: 'Signed in' }).click();
    expect((await arrived(page)).get('code')).toMatch(/^.{40,}$/);
    expect(problems).toEqual([]);
  });

  test('another one is asked for the password, with the name and the box filled in', async () => {
    const { page, people } = await shared();
    await page.goto(select());
    await page.locator('.choice', { hasText: people[0].username }).click();
    expect(await page.inputValue('#username')).toBe(people[0].username);
    expect(await box(page).isChecked()).toBe(true);
    expect(await page.locator(':focus').getAttribute('name')).toBe('password');
    await goBack(page);
    await page.getByRole('button', { name: 'Use another account' }).click();
    expect(await page.inputValue('#username')).toBe('');
    expect(await box(page).isChecked()).toBe(false);
  });

  test('an account is forgotten by a button of its own, by keyboard too', async () => {
    const { page, people } = await shared();
    await page.goto(select());
    const forget = page.locator('li', { hasText: people[0].username }).getByRole('button', { name: /^Forget/ });
    await forget.focus();
    await page.keyboard.press('Enter');
    const left = page.locator('.choice:not([value=other])');
    await left.nth(1).waitFor({ state: 'detached' });
    expect(await left.count()).toBe(1);
    expect(await left.textContent()).toContain(people[1].username);
  });

  test('without JavaScript it does the same', async () => {
    const { page, people } = await shared({ javaScriptEnabled: false });
    await page.goto(select());
    await page.locator('.choice', { hasText: people[1].username }).click();
    expect((await arrived(page)).get('code')).toMatch(/^.{40,}$/);
  });

  test('the session’s cookie, and the browser’s own, are gone with the browser unless its person wanted it kept', async () => {
    for (const keep of [false, true]) {
      const { page } = await buildVisitor(browser, server);
      await page.goto(authorizeAddress(server, client));
      await signIn(page, await buildPerson(server), keep);
      const cookies = await page.context().cookies(server.url);
      const session = cookies.find(({ name }) => name === 'gatehouse');
      expect([keep, (session?.expires ?? 0) > 0]).toEqual([keep, keep]);
      const device = cookies.find(({ name }) => name === 'gatehouse-device');
      expect([keep, device !== undefined, (device?.expires ?? 0) > 0]).toEqual([keep, true, keep]);
    }
  });
});
