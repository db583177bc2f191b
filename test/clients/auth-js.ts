/** Auth.js has pages of its own, and a session in place of tokens. */
import type { Client, Visit } from './client.ts';
import { ask, mustKnowAda } from './person.ts';
import { nodeVersion } from './pins.ts';
import { nodeProgram } from './programs.ts';
import { signInTwice } from './web-steps.ts';

const begin =
  ({ page, url }: Visit, name: string) =>
  async () => {
    await page.goto(`${url}/auth/signin?callbackUrl=${encodeURIComponent(url)}`);
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name, exact: true }).click()]);
  };

async function mustHaveSession(visit: Visit): Promise<void> {
  const { user } = await ask(visit, '/auth/session');
  mustKnowAda(typeof user === 'object' && user !== null ? { ...user } : {}, { verified: null });
}

export const authJs: Client = {
  name: 'Auth.js',
  language: 'node',
  version: nodeVersion('@auth/core'),
  kind: 'web',
  settings: 'none; for userinfo `idToken: false`',
  redirectPaths: ['/auth/callback/gatehouse', '/auth/callback/userinfo'],
  signedOutPaths: [],
  program: nodeProgram('authjs.ts'),
  steps: {
    async login(visit) {
      await signInTwice(visit, begin(visit, 'Sign in with Gatehouse'));
      await mustHaveSession(visit);
    },
    refresh: {
      limit:
        'keeps no tokens: the application does it in its `jwt` callback (`@auth/core/lib/actions/callback/index.js:78`)',
    },
    async userinfo(visit) {
      await visit.page.context().clearCookies({ domain: 'localhost' });
      await begin(visit, 'Sign in with Gatehouse userinfo')();
      await mustHaveSession(visit);
    },
    logout: { limit: 'ends its own session only (`@auth/core/lib/actions/signout.js:28`)' },
  },
};
