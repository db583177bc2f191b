/**
 * docs/troubleshooting.md shows what openid-client and oauth4webapi say about this server's refusals, with the check in
 * the record.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as oidc from 'openid-client';
import { Agent } from '../support/agent.ts';
import { answer, confirm, deviceClient } from '../support/device.ts';
import { codeFor } from '../support/flow.ts';
import { buildClient, buildPerson, startServer, type TestServer } from '../support/server.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8');
const redirect_uri = 'https://app.example.com/cb';
const insecure = { execute: [oidc.allowInsecureRequests] };

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { REGISTRATION: 'open', DEVICE_POLL_INTERVAL: '1' } });
});
afterAll(() => server.close());

/**
 * What the author of a program reads: the message and those of its causes, the `error`, and the check of the record.
 */
interface Shown {
  readonly messages: readonly string[];
  readonly error: string | undefined;
  readonly check: string | undefined;
}

async function shownBy(call: () => Promise<unknown>): Promise<Shown> {
  try {
    await call();
  } catch (thrown) {
    const { cause, response } = thrown as { cause?: unknown; response?: Response };
    const link = response?.headers.get('link')?.replace(/^<|>.*/g, '');
    const body = cause as { error_uri?: string } | undefined;
    const uri = cause instanceof URLSearchParams ? cause.get('error_uri') : (link ?? body?.error_uri);
    const record = await server.core.refusals.find(uri?.split('/').at(-1) ?? '');
    return { messages: messagesOf(thrown), error: errorOf(thrown), check: record?.check };
  }
  throw new Error('nothing was refused');
}

const messagesOf = (thrown: unknown): string[] =>
  thrown instanceof Error ? [thrown.message, ...messagesOf(thrown.cause)] : [];

/** In the body, in the redirect, or in the challenge. */
function errorOf(thrown: unknown): string | undefined {
  const { error, cause } = thrown as { error?: string; cause?: readonly { parameters?: { error?: string } }[] };
  return error ?? (Array.isArray(cause) ? cause[0]?.parameters?.error : undefined);
}

const configFor = async (
  client: { id: string; secret: string },
  metadata?: oidc.ClientMetadata,
  auth?: oidc.ClientAuth,
) => oidc.discovery(new URL(server.url), client.id, metadata, auth ?? oidc.ClientSecretBasic(client.secret), insecure);

/** The address at which the browser comes back, of a person who allows the request. */
async function cameBack(client: { id: string }, parameters: Record<string, string> = {}) {
  const person = await buildPerson(server);
  const agent = new Agent(server);
  const { grant } = await codeFor(server, client, { person, agent, extra: parameters });
  return { ...grant, url: new URL(`${redirect_uri}?code=${grant.code}&iss=${encodeURIComponent(server.url)}`) };
}

/** The authorization response to a request that is answered without a page. */
async function redirectedWith(
  parameters: Record<string, string>,
  client?: { id: string; secret: string },
): Promise<Shown> {
  const config = await configFor(client ?? (await buildClient(server)));
  const verifier = oidc.randomPKCECodeVerifier();
  const address = oidc.buildAuthorizationUrl(config, {
    ...{ redirect_uri, code_challenge_method: 'S256', ...parameters },
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  });
  const { location } = await new Agent(server).go(address.href);
  return shownBy(() => oidc.authorizationCodeGrant(config, new URL(location ?? ''), { pkceCodeVerifier: verifier }));
}

const tried: Readonly<Record<string, () => Promise<Shown>>> = {
  async 'a wrong secret'() {
    const config = await configFor({ ...(await buildClient(server)), secret: 'wrong' });
    return shownBy(() => oidc.clientCredentialsGrant(config, {}));
  },
  async 'a grant type that is not registered'() {
    const config = await configFor(await buildClient(server));
    return shownBy(() => oidc.clientCredentialsGrant(config, {}));
  },
  async 'a refresh token that has ended'() {
    const config = await configFor(await buildClient(server));
    return shownBy(() => oidc.refreshTokenGrant(config, 'x'));
  },
  async 'a code that is used twice'() {
    const client = await buildClient(server);
    const config = await configFor(client);
    const { url, code_verifier: pkceCodeVerifier } = await cameBack(client);
    await oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier });
    return shownBy(() => oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier }));
  },
  async 'a lost verifier'() {
    const client = await buildClient(server);
    const config = await configFor(client);
    const { url } = await cameBack(client);
    return shownBy(() => oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier: oidc.randomPKCECodeVerifier() }));
  },
  async 'another redirect URI at the token endpoint'() {
    const client = await buildClient(server, { redirect_uris: [redirect_uri, 'https://app.example.com/other'] });
    const config = await configFor(client);
    const { url, code_verifier: pkceCodeVerifier } = await cameBack(client, { redirect_uri });
    const other = new URL(url.href.replace('/cb?', '/other?'));
    return shownBy(() => oidc.authorizationCodeGrant(config, other, { pkceCodeVerifier }));
  },
  'prompt=none without a session': () => redirectedWith({ scope: 'openid', prompt: 'none' }),
  'a scope that is not offered': () => redirectedWith({ scope: 'books' }),
  async 'an API that is not registered'() {
    const client = await buildClient(server, { redirect_uris: [], grant_types: ['client_credentials'] });
    const config = await configFor(client);
    return shownBy(() => oidc.clientCredentialsGrant(config, { resource: 'https://books.example.com' }));
  },
  async 'an unexpected state'() {
    const client = await buildClient(server);
    const config = await configFor(client);
    const { url, code_verifier: pkceCodeVerifier } = await cameBack(client, { state: 'one' });
    url.searchParams.set('state', 'one');
    return shownBy(() => oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier, expectedState: 'two' }));
  },
  async 'an issuer with a path'() {
    return shownBy(() => oidc.discovery(new URL(`${server.url}/other`), 'x', undefined, undefined, insecure));
  },
  async 'the issuer under another name'() {
    const url = new URL(server.url.replace('localhost', '127.0.0.1'));
    return shownBy(() => oidc.discovery(url, 'x', undefined, undefined, insecure));
  },
  async 'http without leave'() {
    return shownBy(() => oidc.discovery(new URL(server.url), 'x'));
  },
  async 'ES256 for a client that registered none'() {
    const client = await buildClient(server);
    const config = await configFor(client, { client_id: client.id, id_token_signed_response_alg: 'ES256' });
    const { url, code_verifier: pkceCodeVerifier } = await cameBack(client);
    return shownBy(() => oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier }));
  },
  async 'userinfo with a token for an API'() {
    const client = await buildClient(server);
    const config = await configFor(client);
    const { grant } = await codeFor(server, client, { scope: 'user' });
    const url = new URL(`${redirect_uri}?code=${grant.code}&iss=${encodeURIComponent(server.url)}`);
    const tokens = await oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier: grant.code_verifier });
    return shownBy(() => oidc.fetchUserInfo(config, tokens.access_token, 'x'));
  },
  async 'a client that must send DPoP proofs, and sends none'() {
    const client = await buildClient(server, { dpop_bound_access_tokens: true });
    const config = await configFor(client);
    const { url, code_verifier: pkceCodeVerifier } = await cameBack(client);
    return shownBy(() => oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier }));
  },
  async 'a refresh with another DPoP key'() {
    const client = await buildClient(server, { token_endpoint_auth_method: 'none' });
    const config = await configFor(client, undefined, oidc.None());
    const { url, code_verifier: pkceCodeVerifier } = await cameBack(client);
    const bound = async () => ({ DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair()) });
    const tokens = await oidc.authorizationCodeGrant(config, url, { pkceCodeVerifier }, undefined, await bound());
    const another = await bound();
    return shownBy(() => oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, another));
  },
  async 'a client that must push, and does not'() {
    const client = await buildClient(server, { require_pushed_authorization_requests: true });
    return redirectedWith({ scope: 'openid' }, client);
  },
  async 'a pushed request with a redirect URI that is not registered'() {
    const config = await configFor(await buildClient(server));
    return shownBy(() =>
      oidc.buildAuthorizationUrlWithPAR(config, { redirect_uri: 'https://app.example.com/other', scope: 'openid' }),
    );
  },
  async 'a person who refuses the device'() {
    const client = await buildClient(server, deviceClient);
    const config = await configFor(client, undefined, oidc.None());
    const begun = await oidc.initiateDeviceAuthorization(config, { scope: 'openid' });
    const agent = new Agent(server);
    await answer(agent, await buildPerson(server), await confirm(agent, begun.user_code), 'deny');
    return shownBy(() => oidc.pollDeviceAuthorizationGrant(config, begun));
  },
  async 'a device whose client lacks the grant type'() {
    const config = await configFor(await buildClient(server));
    return shownBy(() => oidc.initiateDeviceAuthorization(config, { scope: 'openid' }));
  },
  async 'a registration with a redirect URI that is refused'() {
    const metadata = { redirect_uris: ['javascript:alert(1)'] };
    return shownBy(() => oidc.dynamicClientRegistration(new URL(server.url), metadata, undefined, insecure));
  },
  async 'a registration that asks for what is not offered'() {
    const metadata = { redirect_uris: [redirect_uri], token_endpoint_auth_method: 'tls_client_auth' };
    return shownBy(() => oidc.dynamicClientRegistration(new URL(server.url), metadata, undefined, insecure));
  },
};
const rows = page.split('\n').filter((line) => line.startsWith('|'));

test.each(Object.keys(tried))('%s: the page has what the client shows', async (name) => {
  const { messages, error, check } = (await tried[name]?.()) ?? { messages: [] };
  const told = [messages.at(-1), error, check].filter((one) => one !== undefined).map((one) => `\`${one}\` |`);
  expect([told, rows.find((row) => told.every((one) => row.includes(one)))]).toEqual([told, expect.any(String)]);
});

test('each check of the page has a mistake here', () => {
  const section = page.slice(page.indexOf('### openid-client'), page.indexOf('These never reach'));
  const checks = [...section.matchAll(/`(\w+)` \|$/gm)].map(([, check]) => check);
  expect(checks).toHaveLength(17);
});

test('each check that the page names is one of refusals.md', () => {
  const refusals = readFileSync(join(root, 'docs/refusals.md'), 'utf8');
  const pages = page.slice(page.indexOf('## The browser stays'), page.indexOf('## What client'));
  const checks = [...pages.matchAll(/^\| `(\w+)` \|/gm)].map(([, check]) => check);
  expect(checks).toHaveLength(7);
  expect(checks.filter((check) => !refusals.includes(`| \`${check}\` |`))).toEqual([]);
});

test('each check by error is one of refusals.md', () => {
  const refusals = readFileSync(join(root, 'docs/refusals.md'), 'utf8');
  const section = page.slice(page.indexOf('### Agents, devices'), page.indexOf('### Auth.js'));
  const cells = section.split('\n').flatMap((line) => (/^\| `/.test(line) ? [line.split(' | ')[1] ?? ''] : []));
  const checks = cells.slice(1).flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, check]) => check));
  expect(checks.length).toBeGreaterThan(15);
  expect(checks.filter((check) => !refusals.includes(`| \`${check}\` |`))).toEqual([]);
});

test('messages at a start and of commands are those of the server', () => {
  const source = globSync('src/**/*.ts', { cwd: root })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n');
  const section = page.slice(page.indexOf('## The server does not start'), page.indexOf('## People'));
  const messages = [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, message = '']) => message);
  const parts = messages
    .flatMap((message) => message.split('…').map((part) => part.trim()))
    .filter((part) => part !== '');
  expect(parts.length).toBeGreaterThan(12);
  expect(parts.filter((part) => !source.includes(part))).toEqual([]);
});
