/** Where an authorization request may be answered: at a registered address, character by character, or nowhere. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { buildClient, startServer, type TestServer } from '../support/server.ts';

const registered = 'https://app.example.com/cb';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server);
});
afterAll(() => server.close());

const standard = () => ({
  client_id: client.id,
  response_type: 'code',
  redirect_uri: registered,
  scope: 'openid',
  code_challenge: 'c'.repeat(43),
  code_challenge_method: 'S256',
});

async function expectRefusedPage(answer: Awaited<ReturnType<typeof authorize>>) {
  expect({ status: answer.status, location: answer.location }).toEqual({ status: 400, location: undefined });
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
  expect(answer.headers.getSetCookie().join()).not.toMatch(/interaction/);
}

const authorize = (query: string) => new Agent(server).go(`/oauth/authorize?${query}`, { follow: false });

describe('A1: a redirect_uri that differs from the registered one is a 400 page and never a redirect', () => {
  const variants = {
    'trailing slash': `${registered}/`,
    'extra path': `${registered}/x`,
    'dot segments': 'https://app.example.com/x/../cb',
    'case of path': 'https://app.example.com/CB',
    'case of host': 'https://APP.example.com/cb',
    'case of scheme': 'HTTPS://app.example.com/cb',
    'added query': `${registered}?x=1`,
    'empty query': `${registered}?`,
    'added fragment': `${registered}#x`,
    'empty fragment': `${registered}#`,
    'another port': 'https://app.example.com:8443/cb',
    'default port': 'https://app.example.com:443/cb',
    http: 'http://app.example.com/cb',
    'user name': 'https://user@app.example.com/cb',
    'our host as the user name': 'https://app.example.com@evil.example/cb',
    'two at signs': 'https://a@b@app.example.com/cb',
    'encoded dots': 'https://app.example.com/%2e%2e/cb',
    'encoded line break': `${registered}%0d%0aX-Evil:%201`,
    'line break': `${registered}\r\nX-Evil: 1`,
    backslash: 'https://app.example.com\\cb',
    'backslash host': 'https://evil.example\\@app.example.com/cb',
    tab: 'https://app.example.com/c\tb',
    'leading blank': ` ${registered}`,
    'suffix domain': 'https://app.example.com.evil.example/cb',
    'dot as any letter': 'https://appxexample.com/cb',
    'host with a dot behind': 'https://app.example.com./cb',
    homograph: 'https://аpp.example.com/cb',
    'full-width dot': 'https://app．example．com/cb',
    relative: '/cb',
    'scheme-relative': '//app.example.com/cb',
    script: 'javascript:alert(1)//https://app.example.com/cb',
    'percent-encoded letter': 'https://app.example.com/c%62',
    null: 'null',
  };
  test.each(Object.entries(variants))('A1: %s', async (_name, redirect_uri) => {
    await expectRefusedPage(await authorize(`${new URLSearchParams({ ...standard(), redirect_uri })}`));
  });

  test('A1: the same when an error would have been redirected anyway', async () => {
    for (const redirect_uri of [`${registered}/`, 'https://evil.example/cb']) {
      const wrong = { ...standard(), redirect_uri, response_type: 'token', prompt: 'none', scope: 'nonsense' };
      await expectRefusedPage(await authorize(`${new URLSearchParams(wrong)}`));
    }
  });
});

test('A2: an unknown, malformed, missing or disabled client gets a page and no redirect', async () => {
  const disabled = await buildClient(server);
  await server.app.clients.disable(disabled.id);
  for (const client_id of ['nobody', '', '\u0000', "' OR 1=1", 'x'.repeat(5000), disabled.id]) {
    await expectRefusedPage(await authorize(`${new URLSearchParams({ ...standard(), client_id })}`));
  }
});

test('A3: with two registered addresses and none in the request there is no redirect', async () => {
  const two = await buildClient(server, { redirect_uris: [registered, 'https://app.example.com/other'] });
  const { redirect_uri: _none, ...rest } = standard();
  await expectRefusedPage(await authorize(`${new URLSearchParams({ ...rest, client_id: two.id })}`));
});
