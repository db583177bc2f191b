/**
 * Whole tasks of a person, as the controls to press in their order, for any pair of hands. This is the one place to
 * change when a page says something else or a step goes away. What has come of a task, its test asks the server.
 */
import type { Page } from 'playwright-core';
import { controlNamed, type Hands } from './hands.ts';

interface Step {
  /** The name of the control, or how it begins. */
  readonly press: string | RegExp;
  /** The path of the page that comes then. Left out: this page stays, or the next step waits for its own control. */
  readonly to?: string;
}

/** Each begins at the account's start page, unless it says otherwise. The start page shows the last few itself. */
export const ways = {
  sessions: [{ press: 'Devices and sessions', to: '/account/sessions' }],
  endSession: [{ press: /^End Firefox on Windows/ }, { press: 'End the session' }],
  connections: [{ press: 'Connected applications', to: '/account/connections' }],
  disconnect: [{ press: /^Disconnect ./ }, { press: 'Disconnect' }],
  passkeys: [{ press: 'Security', to: '/account/security' }],
  /** The step that the overview proposes to a person with a password alone. */
  firstPasskey: [{ press: 'Add a passkey', to: '/account/security' }, { press: 'Add a passkey' }],
  renamePasskey: [{ press: /^Rename ./ }],
  saveName: [{ press: 'Save' }],
  removePasskey: [{ press: /^Remove ./ }, { press: 'Remove' }],
  menu: [{ press: /^Menu of/ }],
  signOut: [{ press: 'Sign out', to: '/oauth/logout' }, { press: 'Sign out' }],
  /** From the sign-in page. */
  signUp: [{ press: 'Create an account' }],
  allow: [{ press: /^Allow/ }],
} satisfies Record<string, readonly Step[]>;

const labels = {
  usernameOrEmail: 'Username or e-mail',
  username: 'Username',
  email: 'E-mail',
  password: 'Password',
  passkeyName: 'Name',
  recoveryCode: 'Recovery code',
};

/** One after the other. */
export async function go(hands: Hands, ...parts: readonly (readonly Step[])[]): Promise<void> {
  for (const { press, to } of parts.flat()) {
    await hands.press(press);
    if (to !== undefined) await hands.page.waitForURL((url) => url.pathname === to);
  }
}

/** From any page of the account. */
export async function signOut(hands: Hands): Promise<void> {
  // Until every page has the menu.
  const inSight = await controlNamed(hands.page, 'Sign out').isVisible();
  await go(hands, ...(inSight ? [] : [ways.menu]), ways.signOut);
}

interface Secret {
  readonly username: string;
  readonly password: string;
}

/** A browser that knows the name shows it, and needs the password alone. */
export async function signIn(hands: Hands, { username, password }: Secret): Promise<void> {
  const { page } = hands;
  await controlNamed(page, 'Sign in').waitFor();
  const name = page.getByLabel(labels.usernameOrEmail);
  const known = (await name.count()) === 0 || (await name.first().inputValue()) === username;
  if (!known) await hands.type(labels.usernameOrEmail, username);
  await hands.type(labels.password, password);
  await hands.press('Sign in');
}

/** Where a passkey is asked for: without the device, or without scripts. */
export async function giveRecoveryCode(hands: Hands, code: string): Promise<void> {
  await hands.press('Use a recovery code instead');
  await hands.type(labels.recoveryCode, code);
  await hands.press('Continue');
}

/** At the sign-in page, before signing in. */
export const keepSignedIn = (hands: Hands) => hands.set(/^Stay signed in/, true);

export async function signUp(hands: Hands, { username, email, password }: Secret & { readonly email: string }) {
  await go(hands, ways.signUp);
  await hands.page.getByLabel(labels.username, { exact: true }).waitFor();
  await hands.type(labels.username, username);
  await hands.type(labels.email, email);
  await hands.type(labels.password, password);
  await hands.press('Create the account');
}

export async function renamePasskey(hands: Hands, name: string): Promise<void> {
  await go(hands, ways.renamePasskey);
  await hands.type(labels.passkeyName, name);
  await go(hands, ways.saveName);
}

export const isAt = (page: Page, path: string) => page.waitForURL((url) => url.pathname === path);
