/** Every client of the matrix, in the order of its table. */
import { authJs } from './auth-js.ts';
import type { Client } from './client.ts';
import { oauth2Proxy } from './oauth2-proxy.ts';
import { byPopup, byRedirect } from './oidc-client-ts.ts';
import { nodeVersion, pythonVersion } from './pins.ts';
import { nodeProgram, pythonProgram } from './programs.ts';
import { webSteps } from './web-steps.ts';

const web = { kind: 'web', settings: 'none', redirectPaths: ['/callback'], signedOutPaths: ['/signed-out'] } as const;

const openidClient: Client = {
  ...web,
  name: 'openid-client',
  language: 'node',
  version: nodeVersion('openid-client'),
  program: nodeProgram('openid-client.ts'),
  steps: webSteps,
};

const oauth4webapi: Client = {
  ...web,
  name: 'oauth4webapi',
  language: 'node',
  version: nodeVersion('oauth4webapi'),
  program: nodeProgram('oauth4webapi.ts'),
  steps: webSteps,
};

const authlib: Client = {
  ...web,
  name: 'Authlib',
  language: 'python',
  version: pythonVersion('authlib'),
  program: pythonProgram('authlib_app.py'),
  steps: webSteps,
};

const requestsOauthlib: Client = {
  ...web,
  name: 'requests-oauthlib',
  language: 'python',
  version: pythonVersion('requests-oauthlib'),
  settings: 'the addresses of the endpoints, since it reads no discovery document',
  program: pythonProgram('requests_oauthlib_app.py', { OAUTHLIB_INSECURE_TRANSPORT: '1' }),
  steps: {
    ...webSteps,
    logout: { limit: 'knows OAuth 2.0 alone, no ID token and no logout (`requests_oauthlib/oauth2_session.py:20`)' },
  },
};

export const clients: readonly Client[] = [
  openidClient,
  oauth4webapi,
  authJs,
  byRedirect,
  byPopup,
  authlib,
  requestsOauthlib,
  oauth2Proxy,
];
