/** Whole tasks by keyboard alone, and with scripts off. What each page does beside them is in the suites of the pages. */
import { describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { arrived, buildVisitor } from '../../support/chromium.ts';
import { describeWith } from '../../support/describe-with.ts';
import { tokensFor } from '../../support/flow.ts';
import { linkIn, mailTo } from '../../support/mail.ts';
import { enrolPasskey } from '../../support/passkey.ts';
import { buildClient, buildPerson, password, type TestServer } from '../../support/server.ts';
import { onStage } from '../../support/stage.ts';
import { authorizeAddress, isSignedIn } from '../journey.ts';
import { byKeyboard, byMouse } from './hands.ts';
import { giveRecoveryCode, go, isAt, renamePasskey, signIn, signOut, signUp, ways } from './ways.ts';

const suite = describeWith('Chromium');
const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

suite('whole tasks', () => {
  let browser: Browser;
  let server: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;

  onStage(async (stage) => {
    ({ browser, server } = stage);
    client = await buildClient(server);
    const scopes = [
      { name: 'shelf:read', sentence: 'See your shelf.' },
      { name: 'shelf:write', sentence: 'Change your shelf.', optional: true },
    ];
    await server.core.apis.add({ identifier: 'https://shelf.example', name: 'Shelf', scopes });
  });

  describe.each([
    ['by keyboard alone', byKeyboard, true],
    ['by keyboard alone, scripts off', byKeyboard, false],
    ['by mouse, scripts off', byMouse, false],
  ] as const)('%s', (_, handsOn, javaScriptEnabled) => {
    async function visit() {
      const { page, problems } = await buildVisitor(browser, server, { javaScriptEnabled });
      return { page, problems, hands: handsOn(page) };
    }

    /** A person at the start page of their account. */
    async function atHome() {
      const [person, visitor] = [await buildPerson(server), await visit()];
      await visitor.page.goto('/account');
      await signIn(visitor.hands, person);
      await isAt(visitor.page, '/account');
      return { ...visitor, person };
    }

    test('sign in for an application, and leave out an optional scope', async () => {
      const [person, { page, hands, problems }] = [await buildPerson(server), await visit()];
      await page.goto(authorizeAddress(server, client, { scope: 'shelf:read shelf:write' }));
      await signIn(hands, person);
      await hands.set(/^Change your shelf/, false);
      await go(hands, ways.allow);
      expect((await arrived(page)).has('code')).toBe(true);
      const consent = await server.core.stores.consents.find(person.subject, client.id);
      expect(consent?.resources).toEqual({ 'https://shelf.example': ['shelf:read'] });
      expect(problems).toEqual([]);
    });

    test('sign up, and confirm the address by the link in the mail', async () => {
      const { page, hands, problems } = await visit();
      const username = `new-${handsOn === byMouse ? 'mouse' : 'keys'}-${javaScriptEnabled}`;
      const email = `${username}@example.org`;
      await page.goto(authorizeAddress(server, client));
      await signUp(hands, { username, email, password });
      await go(hands, ways.allow);
      expect((await arrived(page)).has('code')).toBe(true);
      await page.goto(linkIn(await mailTo(server, email, 'confirm-email')));
      // The browser that has named the address confirms it by opening the link.
      await page.getByRole('heading', { level: 1 }).filter({ hasText: 'confirmed' }).waitFor();
      expect(await server.core.accounts.findByUsername(username)).toMatchObject({ email, verified: true });
      expect(problems).toEqual([]);
    });

    test('sign out from the account', async () => {
      const { page, hands, problems } = await atHome();
      await signOut(hands);
      await page.getByRole('heading', { level: 1 }).filter({ hasText: 'signed out' }).waitFor();
      expect(await isSignedIn(page, server, client)).toBe(false);
      expect(problems).toEqual([]);
    });

    test('end a session elsewhere', async () => {
      const { page, hands, person, problems } = await atHome();
      const other = await buildVisitor(browser, server, { userAgent: firefox });
      await other.page.goto('/account');
      await signIn(byMouse(other.page), person);
      await isAt(other.page, '/account');
      await go(hands, ways.sessions, ways.endSession);
      await page.getByRole('status').filter({ hasText: 'ended' }).waitFor();
      expect(await isSignedIn(other.page, server, client)).toBe(false);
      expect(await isSignedIn(page, server, client)).toBe(true);
      expect(problems).toEqual([]);
    });

    test('disconnect an application', async () => {
      const { page, hands, person, problems } = await atHome();
      await tokensFor(server, client, { person, scope: 'openid profile' });
      await go(hands, ways.connections, ways.disconnect);
      await page.getByRole('status').filter({ hasText: 'no longer has access' }).waitFor();
      expect(await server.core.stores.consents.find(person.subject, client.id)).toBeUndefined();
      expect(problems).toEqual([]);
    });

    test('rename a passkey, and remove it', async () => {
      const [person, { page, hands, problems }] = [await buildPerson(server), await visit()];
      const making = { origin: server.url, name: 'laptop' };
      const { recoveryCodes } = await enrolPasskey(server.core.passkeys, person.subject, making);
      await page.goto('/account');
      await signIn(hands, person);
      await giveRecoveryCode(hands, recoveryCodes[0] ?? '');
      await isAt(page, '/account');
      const names = async () => (await server.core.passkeys.list(person.subject)).map(({ name }) => name);
      await go(hands, ways.passkeys);
      await renamePasskey(hands, 'kitchen');
      await page.getByRole('heading', { name: 'kitchen' }).waitFor();
      expect(await names()).toEqual(['kitchen']);
      await go(hands, ways.removePasskey);
      await page.getByRole('status').filter({ hasText: 'removed' }).waitFor();
      expect(await names()).toEqual([]);
      expect(problems).toEqual([]);
    });
  });
});
