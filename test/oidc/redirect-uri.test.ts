/** Where an authorization request may be answered: at a registered address, character by character, or nowhere. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { tokensFor } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

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

describe('P5: the port of a loopback address', () => {
  const hosts = ['127.0.0.1', '[::1]', 'localhost'];
  const ask = (client_id: string, redirect_uri: string) =>
    authorize(`${new URLSearchParams({ ...standard(), client_id, redirect_uri })}`);
  const isTaken = async (id: string, uri: string) => (await ask(id, uri)).status === 303;

  test('P5: any port for a public client, also one registered without application_type', async () => {
    for (const host of hosts) {
      for (const registeredPort of ['', ':8080']) {
        const open = await buildClient(server, {
          token_endpoint_auth_method: 'none',
          redirect_uris: [`http://${host}${registeredPort}/cb?x=%E4`],
          post_logout_redirect_uris: [`http://${host}${registeredPort}/bye`],
        });
        for (const port of ['', ':80', ':51999', ':65535'])
          expect({ host, port, taken: await isTaken(open.id, `http://${host}${port}/cb?x=%E4`) }).toEqual({
            ...{ host, port },
            taken: true,
          });
        const others = hosts.filter((other) => other !== host).map((other) => `http://${other}:51999/cb?x=%E4`);
        for (const uri of [
          ...others,
          ...[`http://${host}:51999/cb`, `http://${host}:51999/cb?x=%E4&y`, `http://${host}:51999/CB?x=%E4`],
          ...[
            `https://${host}:51999/cb?x=%E4`,
            `http://${host}:51999/cb?x=%E4#f`,
            `http://user@${host}:51999/cb?x=%E4`,
          ],
          ...[`http://${host}:0/cb?x=%E4`, `http://${host}:65536/cb?x=%E4`, `http://${host}:5a/cb?x=%E4`],
          ...[`http://${host}:51999@evil.example/cb?x=%E4`, `http://${host}.evil.example:51999/cb?x=%E4`],
        ])
          await expectRefusedPage(await ask(open.id, uri));
        const query = new URLSearchParams({ client_id: open.id, post_logout_redirect_uri: `http://${host}:51999/bye` });
        expect((await new Agent(server).go(`/oauth/logout?${query}`, { follow: false })).status).toBe(200);
      }
    }
  });

  test('P5: a confidential client matches its registered port, and says which one it is', async () => {
    const uri = 'http://127.0.0.1:8080/cb';
    for (const type of ['web', 'native']) {
      const confidential = await buildClient(server, { application_type: type, redirect_uris: [uri] });
      expect(await isTaken(confidential.id, uri)).toBe(true);
      const refused = await ask(confidential.id, 'http://127.0.0.1:8081/cb');
      await expectRefusedPage(refused);
      expect(refused.text).toContain('The port differs');
    }
  });

  test('P5: a native client that authenticates and was stored before keeps any port', async () => {
    const uri = 'http://127.0.0.1:8080/cb';
    const { id, record } = await buildClient(server, { application_type: 'native', redirect_uris: [uri] });
    const { loopback_ports: _new, ...before } = record.metadata;
    await server.core.stores.clients.update({ ...record, metadata: before, version: record.version + 1 });
    await server.core.changes.check();
    expect(await isTaken(id, 'http://127.0.0.1:51999/cb')).toBe(true);
  });

  test('a name below localhost is loopback; its port is the registered one', async () => {
    const uri = 'http://app.localhost:3000/cb';
    for (const more of [{}, { application_type: 'native' }, { token_endpoint_auth_method: 'none' }]) {
      const { id } = await buildClient(server, { redirect_uris: [uri], ...more });
      expect(await isTaken(id, uri)).toBe(true);
      await expectRefusedPage(await ask(id, 'http://app.localhost:3001/cb'));
    }
  });
});

describe('P6: the query of a redirect URI is kept byte for byte', () => {
  const queries = ['q=two%20words', 'x=%E4', 'flag', 'a=1&a=2&', 'p=a+b%2Bc&q=~%7e', 'x=%e4&&y=;'];
  const uris = [
    ...queries.map((query) => `${registered}?${query}`),
    'https://app.example.com?x=%E4',
    'com.example.app:/cb?q=two%20words',
    'cursor://anysphere.cursor-mcp/oauth/callback?q=two%20words',
    'http://127.0.0.1:8080/cb?q=two%20words',
  ];

  test.each(uris)('P6: %s', async (uri) => {
    const open = await buildClient(server, { token_endpoint_auth_method: 'none', redirect_uris: [uri] });
    const person = await buildPerson(server);
    const agent = new Agent(server);
    const asked = { ...standard(), client_id: open.id, redirect_uri: uri, state: 's t' };
    const kept = uri.replace('https://app.example.com?', 'https://app.example.com/?');
    const between = /[?&]$/.test(uri) ? '' : '&';
    const given = await agent.authorize(person, asked);
    expect(given.location?.startsWith(`${kept}${between}code=`)).toBe(true);
    expect(new URL(given.location ?? '').searchParams.getAll('state')).toEqual(['s t']);

    const wrong = { ...asked, prompt: 'none', scope: 'openid', code_challenge_method: 'plain' };
    const modes = [
      { response_mode: 'query', ends: `${between}error=invalid_request` },
      { response_mode: 'fragment', ends: '#error=invalid_request' },
    ];
    for (const { response_mode, ends } of modes) {
      const failed = await authorize(`${new URLSearchParams({ ...wrong, response_mode })}`);
      expect(failed.location?.startsWith(`${kept}${ends}`)).toBe(true);
      expect(failed.text).not.toContain('%EF%BF%BD');
    }
    const inFragment = await agent.authorize(person, { ...asked, response_mode: 'fragment' });
    expect(inFragment.location?.startsWith(`${kept}#code=`)).toBe(true);
    for (const parameters of [asked, wrong]) {
      const page = await agent.go(
        `/oauth/authorize?${new URLSearchParams({ ...parameters, response_mode: 'form_post' })}`,
      );
      // A private-use scheme and loopback are asked about each time.
      const posted = page.text.includes('name="csrf"') ? await agent.submit(page, { answer: 'allow' }) : page;
      expect(posted.text).toContain(`action="${uri.replaceAll('&', '&amp;')}"`);
    }
  });

  test('P6: after a logout, on whatever port', async () => {
    const goodbye = 'http://localhost:8080/bye?q=two%20words&x=%E4&flag';
    const open = await buildClient(server, {
      token_endpoint_auth_method: 'none',
      post_logout_redirect_uris: ['https://app.example.com/bye?q=two+words', goodbye],
    });
    const { agent, body } = await tokensFor(server, open);
    const asked = goodbye.replace(':8080', ':51999');
    const query = new URLSearchParams({
      id_token_hint: body.id_token ?? '',
      post_logout_redirect_uri: asked,
      state: 'a b',
    });
    const left = await agent.confirmLogout(await agent.go(`/oauth/logout?${query}`, { follow: false }));
    expect(left.location).toBe(`${asked}&state=a+b`);
  });

  test('P6: after a logout, where another address has a part of the same query', async () => {
    const short = 'https://app.example.com/bye?a=1';
    const goodbye = `${short}&q=two%20words`;
    const own = await buildClient(server, { post_logout_redirect_uris: [short, goodbye] });
    for (const uri of [short, goodbye]) {
      const { agent, body } = await tokensFor(server, own);
      const query = new URLSearchParams({ id_token_hint: body.id_token ?? '', post_logout_redirect_uri: uri });
      const left = await agent.confirmLogout(await agent.go(`/oauth/logout?${query}`, { follow: false }));
      expect(left.location).toBe(uri);
    }
  });

  test('P6: a parameter of the response takes the place of the same one in the address', async () => {
    const uri = `${registered}?state=fixed&q=two%20words`;
    const own = await buildClient(server, { redirect_uris: [uri] });
    const asked = { ...standard(), client_id: own.id, redirect_uri: uri, state: 'sent', prompt: 'none' };
    const { location = '' } = await authorize(`${new URLSearchParams(asked)}`);
    expect(new URL(location).searchParams.getAll('state')).toEqual(['sent']);
  });
});

test('a private-use scheme: the consent page names it, and lets a browser follow it there', async () => {
  for (const uri of ['cursor://anysphere.cursor-mcp/oauth/callback', 'com.example.app://app.example.com/cb']) {
    const open = await buildClient(server, { token_endpoint_auth_method: 'none', redirect_uris: [uri] });
    const agent = new Agent(server);
    const { username } = await buildPerson(server);
    const login = await agent.go(
      `/oauth/authorize?${new URLSearchParams({ ...standard(), client_id: open.id, redirect_uri: uri })}`,
    );
    const consent = await agent.submit(login, { username, password });
    const scheme = uri.slice(0, uri.indexOf(':') + 1);
    expect(consent.headers.get('content-security-policy')).toContain(`form-action 'self' ${scheme} https:`);
    // What stands for the host of such an address may be any name.
    expect(consent.text).toContain(`<bdi>${scheme}</bdi>`);
    expect(consent.text).not.toContain('app.example.com');
    const { location } = await agent.submit(consent, { answer: 'allow' });
    expect(location?.startsWith(`${uri}?code=`)).toBe(true);
  }
});

describe('http on other hosts', () => {
  test('works for a client that an operator allows it, only while the client is reviewed', async () => {
    const uri = 'http://nas.lan:8080/cb';
    const goodbye = 'http://192.168.1.5/bye';
    const { id } = await buildClient(server, {
      ...{ redirect_uris: [uri], post_logout_redirect_uris: [goodbye], allow_insecure_redirects: true },
    });
    const ask = (redirect_uri = uri) =>
      authorize(`${new URLSearchParams({ ...standard(), client_id: id, redirect_uri })}`);
    const leave = () =>
      new Agent(server).go(
        `/oauth/logout?${new URLSearchParams({ client_id: id, post_logout_redirect_uri: goodbye })}`,
        {
          follow: false,
        },
      );
    expect([(await ask()).status, (await leave()).status]).toEqual([303, 200]);
    await expectRefusedPage(await ask('http://nas.lan:8081/cb'));
    await server.app.clients.unreview(id);
    for (const answer of [await ask(), await leave()]) {
      await expectRefusedPage(answer);
      expect(answer.text).toContain('The redirect URI is http on another machine');
    }
    await server.app.clients.review(id);
    expect((await ask()).status).toBe(303);
  });
});
