import { arrived, buildVisitor, type Visitor } from '../../support/chromium.ts';
import { tokensFor } from '../../support/flow.ts';
import { linkIn, mailTo } from '../../support/mail.ts';
import { buildClient, buildPerson, password } from '../../support/server.ts';
import type { Stage } from '../../support/stage.ts';
import { plugIn } from '../../support/virtual-authenticator.ts';
import { authorizeAddress, isSignedIn } from '../journey.ts';
import { byMouse, type Effort } from './hands.ts';
import { go, isAt, keepSignedIn, signIn, signUp, ways } from './ways.ts';

type Person = Awaited<ReturnType<typeof buildPerson>>;
type Walk = (stage: Stage) => Promise<Effort>;

const firefox = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** The names of the rows in docs/pages.md. */
export const tasks = {
  'Sign in, in a new browser': signInAnew,
  'Sign in, in a remembered browser': signInAgain,
  'Sign up and confirm the address': signUpAndConfirm,
  'Add a passkey': addPasskey,
  'End a session': endSession,
  'Disconnect an application': disconnect,
} satisfies Record<string, Walk>;

export type TaskName = keyof typeof tasks;

/** In commit bb5d66e, before the pages were rebuilt. These stay. */
export const before: Readonly<Record<TaskName, Effort>> = {
  'Sign in, in a new browser': { presses: 1, fields: 2, pages: 1 },
  'Sign in, in a remembered browser': { presses: 1, fields: 1, pages: 1 },
  'Sign up and confirm the address': { presses: 5, fields: 3, pages: 5 },
  'Add a passkey': { presses: 4, fields: 0, pages: 4 },
  'End a session': { presses: 2, fields: 0, pages: 2 },
  'Disconnect an application': { presses: 3, fields: 0, pages: 2 },
};

/** Now. A figure is only ever lowered, here and in docs/pages.md. */
export const now: Readonly<Record<TaskName, Effort>> = {
  'Sign in, in a new browser': { presses: 1, fields: 2, pages: 1 },
  'Sign in, in a remembered browser': { presses: 1, fields: 1, pages: 1 },
  'Sign up and confirm the address': { presses: 4, fields: 3, pages: 4 },
  'Add a passkey': { presses: 2, fields: 0, pages: 2 },
  'End a session': { presses: 2, fields: 0, pages: 1 },
  'Disconnect an application': { presses: 2, fields: 0, pages: 1 },
};

/** Tasks at most that ask for as many presses and fields as before. Only ever lowered, too. */
export const mostUnchanged = 3;

/** A person who has used this application before, in another browser. */
async function returning(stage: Stage) {
  const client = await buildClient(stage.server);
  const person = await buildPerson(stage.server);
  await tokensFor(stage.server, client, { person, scope: 'openid profile' });
  const visitor = await buildVisitor(stage.browser, stage.server);
  return { client, person, ...visitor };
}

async function signInAnew(stage: Stage): Promise<Effort> {
  const { client, person, page } = await returning(stage);
  const hands = byMouse(page);
  await page.goto(authorizeAddress(stage.server, client));
  await signIn(hands, person);
  await arrived(page);
  return hands.effort();
}

/** Who asked to stay signed in comes back when the session is over. */
async function signInAgain(stage: Stage): Promise<Effort> {
  const { client, person, page, context } = await returning(stage);
  await page.goto(authorizeAddress(stage.server, client));
  const first = byMouse(page);
  await keepSignedIn(first);
  await signIn(first, person);
  await arrived(page);
  await context.clearCookies({ name: /^gatehouse(\.sig)?$/ });
  const hands = byMouse(page);
  await page.goto(authorizeAddress(stage.server, client));
  await signIn(hands, person);
  await arrived(page);
  return hands.effort();
}

async function signUpAndConfirm(stage: Stage): Promise<Effort> {
  const { server } = stage;
  const client = await buildClient(server);
  const { page } = await buildVisitor(stage.browser, server);
  const hands = byMouse(page);
  const username = `newcomer-${client.id.replace(/[^A-Za-z0-9]/g, '').slice(0, 12)}`;
  const email = `${username}@example.org`;
  await page.goto(authorizeAddress(server, client));
  await signUp(hands, { username, email, password });
  await go(hands, ways.allow);
  await arrived(page);
  const link = linkIn(await mailTo(server, email, 'confirm-email'));
  await page.goto(link);
  await page.getByRole('heading', { level: 1 }).filter({ hasText: 'confirmed' }).waitFor();
  const { presses, ...rest } = hands.effort();
  // The link in the mail is pressed too.
  return { ...rest, presses: presses + 1 };
}

/** At the start page of the account, after what has been prepared. The effort counts from there. */
async function fromHome(stage: Stage, prepare: (person: Person, visitor: Visitor) => Promise<unknown>) {
  const person = await buildPerson(stage.server);
  const visitor = await buildVisitor(stage.browser, stage.server);
  await signInToAccount(visitor, person);
  await prepare(person, visitor);
  await visitor.page.reload();
  return { page: visitor.page, person, hands: byMouse(visitor.page) };
}

async function signInToAccount({ page }: Visitor, person: Person): Promise<void> {
  await page.goto('/account');
  await signIn(byMouse(page), person);
  await isAt(page, '/account');
}

/** The first one. Its recovery codes can wait. What the device itself asks for is not counted. */
async function addPasskey(stage: Stage): Promise<Effort> {
  const { page, person, hands } = await fromHome(stage, (_, { page }) => plugIn(page));
  await go(hands, ways.firstPasskey);
  await page.getByRole('status').filter({ hasText: 'Your passkey is ready' }).waitFor();
  const { length } = await stage.server.core.passkeys.list(person.subject);
  if (length !== 1) throw new Error(`the person has ${length} passkeys`);
  return hands.effort();
}

async function endSession(stage: Stage): Promise<Effort> {
  const other = await buildVisitor(stage.browser, stage.server, { userAgent: firefox });
  const { page, hands } = await fromHome(stage, (person) => signInToAccount(other, person));
  await go(hands, ways.endSession);
  await page.getByRole('status').filter({ hasText: 'ended' }).waitFor();
  const client = await buildClient(stage.server);
  if (await isSignedIn(other.page, stage.server, client)) throw new Error('the session has not ended');
  return hands.effort();
}

async function disconnect(stage: Stage): Promise<Effort> {
  const { server } = stage;
  const client = await buildClient(server);
  const { page, person, hands } = await fromHome(stage, (person) =>
    tokensFor(server, client, { person, scope: 'openid profile' }),
  );
  await go(hands, ways.disconnect);
  await page.getByRole('status').filter({ hasText: 'no longer has access' }).waitFor();
  const consent = await server.core.stores.consents.find(person.subject, client.id);
  if (consent) throw new Error('the application has not lost its access');
  return hands.effort();
}
