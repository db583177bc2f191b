/** The steps of every program in `programs/` that answers at /login, /callback, /, /refresh, /userinfo and /logout. */
import type { Step, StepName, Visit } from './client.ts';
import { ask, atSignIn, backAt, mustKnowAda, signIn } from './person.ts';

/** A first sign-in with its pages; a second one must need none, since session and consent are remembered. */
export async function signInTwice(visit: Visit, begin: () => Promise<unknown>, landing = '/'): Promise<void> {
  await begin();
  await signIn(visit.page, visit.person);
  await backAt(visit, landing);
  await begin();
  const { origin } = new URL(visit.page.url());
  if (origin !== visit.url) throw new Error(`the second sign-in stops at a page: ${await visit.page.title()}`);
}

const login: Step = async (visit) => {
  await signInTwice(visit, () => visit.page.goto(`${visit.url}/login`));
  mustKnowAda(await ask(visit, '/'));
};

const refresh: Step = async (visit) => {
  const { renewed } = await ask(visit, '/refresh');
  if (renewed !== true) throw new Error('the access token is the same as before');
  mustKnowAda(await ask(visit, '/userinfo'));
};

const userinfo: Step = async (visit) => mustKnowAda(await ask(visit, '/userinfo'));

const logout: Step = async (visit) => {
  await visit.page.goto(`${visit.url}/logout`);
  await backAt(visit, '/signed-out');
  await visit.page.goto(`${visit.url}/login`);
  await atSignIn(visit.page);
};

export const webSteps: Readonly<Record<StepName, Step>> = { login, refresh, userinfo, logout };
