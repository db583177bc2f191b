/**
 * The person in front of the browser: what they do at the server's pages, and what an application must have heard of
 * them.
 */
import type { APIResponse, Page } from 'playwright-core';
import type { Person, Visit } from './client.ts';

export const ada = { username: 'ada', password: 'seven quiet herons wade at dusk' } as const;
export const adasName = { first: 'Ada', last: 'Lovelace' } as const;
export const adasEmail = 'ada@example.org';

/** Fills in the sign-in page that stands there, and agrees. Resolves when the last page of the server is answered. */
export async function signIn(page: Page, person: Person): Promise<void> {
  await page.getByLabel('Username or e-mail').fill(person.username);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await allow(page);
}

export const allow = (page: Page) => page.getByRole('button', { name: 'Allow' }).click();

export async function atSignIn(page: Page): Promise<void> {
  await page.getByLabel('Username or e-mail').waitFor();
}

/** Where the browser stands now must be a page of the application. */
export async function backAt({ page, url }: Pick<Visit, 'page' | 'url'>, path = '/'): Promise<void> {
  await page.waitForURL((address) => address.origin === url || address.href.startsWith('chrome-error:'));
  const { pathname } = new URL(page.url());
  if (pathname !== path)
    throw new Error(`${pathname} of the application says: ${await page.locator('body').textContent()}`);
}

/** JSON that the application answers this browser. */
export async function ask({ page, url }: Pick<Visit, 'page' | 'url'>, path: string): Promise<Record<string, unknown>> {
  return readJson(await page.context().request.get(`${url}${path}`));
}

export async function readJson(response: APIResponse): Promise<Record<string, unknown>> {
  const text = await response.text();
  if (!response.ok()) throw new Error(`${response.status()} ${text.slice(0, 400)}`);
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error(`no object: ${text.slice(0, 400)}`);
  return { ...value };
}

/** The name and the verified address; null: this application keeps no such member. */
export function mustKnowAda(
  heard: Readonly<Record<string, unknown>>,
  names: { name?: null; verified?: null } = {},
): void {
  const expected: Record<string, unknown> = { email: adasEmail };
  if (names.name !== null) expected.name = `${adasName.first} ${adasName.last}`;
  if (names.verified !== null) expected.email_verified = true;
  for (const [member, value] of Object.entries(expected)) {
    if (heard[member] !== value) throw new Error(`${member} is not ${String(value)}: ${JSON.stringify(heard)}`);
  }
}
