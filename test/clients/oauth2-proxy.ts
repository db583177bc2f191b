/**
 * oauth2-proxy in front of nothing: it keeps the session in a cookie, and hands the access token to what is behind it.
 */
import { eventually } from '../support/redis-server.ts';
import type { Client, Visit } from './client.ts';
import { ask, atSignIn, backAt, mustKnowAda, readJson } from './person.ts';
import { oauth2Proxy as pinned } from './pins.ts';
import { goProgram } from './programs.ts';
import { signInTwice } from './web-steps.ts';

async function accessToken({ page, url }: Visit): Promise<string> {
  const response = await page.context().request.get(`${url}/oauth2/auth`);
  return response.headers()['x-auth-request-access-token'] ?? '';
}

const login = async (visit: Visit) => {
  await signInTwice(visit, () => visit.page.goto(`${visit.url}/oauth2/start?rd=/`));
  // It refuses an address that the ID token calls unverified, and keeps no name.
  mustKnowAda(await ask(visit, '/oauth2/userinfo'), { name: null, verified: null });
};

async function userinfo(visit: Visit): Promise<void> {
  const response = await visit.page.context().request.get(`${visit.issuer}/oauth/userinfo`, {
    headers: { Authorization: `Bearer ${await accessToken(visit)}` },
  });
  mustKnowAda(await readJson(response));
}

export const oauth2Proxy: Client = {
  name: 'oauth2-proxy',
  language: 'go',
  version: pinned.version,
  kind: 'web',
  settings:
    '`--provider=oidc`; for refresh `--cookie-refresh`; for userinfo `--pass-access-token`, which hands the token to the service behind it; for logout `--whitelist-domain`',
  redirectPaths: ['/oauth2/callback'],
  signedOutPaths: ['/signed-out'],
  program: goProgram('oauth2-proxy', ({ issuer, id, secret, url, port }) => [
    '--provider=oidc',
    `--oidc-issuer-url=${issuer}`,
    `--client-id=${id}`,
    `--client-secret=${secret}`,
    `--redirect-url=${url}/oauth2/callback`,
    `--http-address=127.0.0.1:${port}`,
    '--upstream=static://200',
    '--email-domain=*',
    '--cookie-secret=0123456789abcdef0123456789abcdef',
    '--cookie-secure=false',
    '--cookie-refresh=1s',
    '--set-xauthrequest',
    '--pass-access-token',
    `--whitelist-domain=${new URL(issuer).host}`,
  ]),
  steps: {
    login,
    async refresh(visit) {
      const before = await accessToken(visit);
      await eventually('another access token', async () => (await accessToken(visit)) !== before);
      await userinfo(visit);
    },
    userinfo,
    async logout(visit) {
      const { page, url, issuer } = visit;
      const end = `${issuer}/oauth/logout?id_token_hint={id_token}&post_logout_redirect_uri=${url}/signed-out`;
      await page.goto(`${url}/oauth2/sign_out?rd=${encodeURIComponent(end)}`);
      await backAt(visit, '/signed-out');
      await page.goto(`${url}/oauth2/start?rd=/`);
      await atSignIn(page);
    },
  },
};
