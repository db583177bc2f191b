/** Clients that are described by the document at their id (client ID metadata documents). */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce } from '../support/agent.ts';
import { type AgentDocument, agents, hostedAgent, signingAgent } from '../support/agent-documents.ts';
import { allow, begin, poll } from '../support/device.ts';
import {
  ask,
  assertionClaims,
  assertionForm,
  comeBack,
  jwt,
  recorded,
  redeem,
  refresh,
  travel,
} from '../support/flow.ts';
import { type Canary, type Outside, startCanary, startOutside } from '../support/outside.ts';
import { eventually } from '../support/redis-server.ts';
import { buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keySet = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', use: 'sig', alg: 'ES256' }] };
const resource = 'https://mcp.example.com';

describeStorages('metadata clients', (storage) => {
  let server: TestServer;
  let node: TestServer;
  let outside: Outside;
  let canary: Canary;
  let answers: Record<string, { status?: number; type?: string; headers?: Record<string, string>; body?: string }> = {};
  beforeAll(async () => {
    outside = await startOutside();
    canary = await startCanary();
    server = await storage.start({ MCP: 'true', THROTTLE_ADDRESS_LIMIT: '1000' }, outside.network);
    node = await storage.join(server, { MCP: 'true' }, outside.network);
    await server.core.apis.add({
      identifier: resource,
      name: 'Tools',
      scopes: [{ name: 'tools:use', sentence: 'Use the tools.', default: true }],
    });
    await node.core.changes.check();
  });
  afterEach(() => {
    answers = {};
    comeBack();
  });
  afterAll(async () => {
    await server.close();
    await canary.close();
    await outside.close();
  });

  /** Serves the document at its address, and the keys of all hosts. Other answers: by path, in `answers`. */
  function publish(
    { url, document }: Pick<AgentDocument, 'url' | 'document'>,
    overrides: Record<string, unknown> = {},
  ) {
    const { host, pathname } = new URL(url);
    const whole = JSON.stringify({ client_id: url, ...document, ...overrides });
    documents.set(url, whole);
    const { requests } = outside.serve(host, (req, res) => {
      if (req.url?.endsWith('jwks.json')) return void res.end(JSON.stringify(keySet));
      const { status = 200, type = 'application/json', headers = {}, body } = answers[req.url ?? ''] ?? {};
      // No answer at all.
      if (status === 0) return void req.socket.destroy();
      const text = body ?? documents.get(`https://${host}${req.url}`);
      res.writeHead(text === undefined ? 404 : status, { 'content-type': type, ...headers }).end(text);
    });
    return { requests: () => requests.filter((one) => one === `GET ${pathname}`).length };
  }
  const documents = new Map<string, string>();
  let made = 0;
  /** A document of its own address, so that no test meets the copies of another. */
  function fresh(from: AgentDocument, overrides: Record<string, unknown> = {}): AgentDocument {
    made += 1;
    const url = `https://app${made}-${storage.kind}.example/client.json`;
    return { ...from, url, document: { ...from.document, ...overrides } };
  }

  const request = (agent: AgentDocument, extra: Record<string, string> = {}) => {
    const { verifier, challenge } = pkce();
    const parameters = {
      client_id: agent.url,
      redirect_uri: agent.redirect,
      resource,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      state: 'a/b+c=',
      ...extra,
    };
    return { verifier, parameters };
  };
  const address = (parameters: Record<string, string>) =>
    `/oauth/authorize?${new URLSearchParams({ response_type: 'code', ...parameters })}`;
  const assertion = (agent: AgentDocument) =>
    agent.document.token_endpoint_auth_method === 'private_key_jwt'
      ? assertionForm(jwt({ alg: 'ES256', kid: 'k' }, assertionClaims(server, { id: agent.url }), privateKey))
      : {};

  /** From the request to the end of the consent, in the browser. */
  async function allowed(
    agent: AgentDocument,
    at: { browser?: Agent; person?: Awaited<ReturnType<typeof buildPerson>> } = {},
  ) {
    const person = at.person ?? (await buildPerson(server));
    const browser = at.browser ?? new Agent(server);
    const { verifier, parameters } = request(agent);
    let page = await browser.go(address(parameters));
    if (page.text.includes('name="password"'))
      page = await browser.submit(page, { username: person.username, password: person.password });
    const consent = page;
    if (page.status === 200) page = await browser.submit(page, hidden(page, { answer: 'allow' }));
    return { person, browser, consent, page, verifier };
  }

  /** From the request to the tokens, which another node issues. */
  async function connect(agent: AgentDocument, at: Parameters<typeof allowed>[1] = {}) {
    const { person, browser, consent, page, verifier } = await allowed(agent, at);
    const grant = { code: codeOf(page), code_verifier: verifier };
    const extra = { redirect_uri: agent.redirect, resource, ...assertion(agent) };
    const answer = await redeem(node, { id: agent.url }, grant, extra);
    return { person, browser, consent, page, answer };
  }
  const hidden = (page: { text: string }, fields: Record<string, string>) => {
    const snapshot = /name="snapshot" value="([^"]+)"/.exec(page.text)?.[1];
    return { ...fields, ...(snapshot && { snapshot }) };
  };

  /** The refusal of an authorization request, by its record. */
  async function refusal(agent: Pick<AgentDocument, 'url' | 'redirect'>) {
    // Only a few refusals of a kind are recorded in a minute.
    travel(61);
    const page = await new Agent(server).go(address(request(agent as AgentDocument).parameters));
    expect(page.location).toBeUndefined();
    const reference = /\/why\/([\w-]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    const record = await server.core.refusals.find(reference);
    return { status: page.status, check: record?.check, received: record?.received };
  }

  for (const [name, agent] of Object.entries(agents)) {
    test(`${name}: consent, code, tokens at another node, refresh, introspection, connected applications`, async () => {
      publish(agent);
      const { person, consent, answer } = await connect(agent);
      expect(consent.text).toContain(new URL(agent.url).host);
      expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ scope: 'tools:use' })]);
      const again = await refresh(server, { id: agent.url }, answer.body.refresh_token, {
        resource,
        ...assertion(agent),
      });
      expect(again.status).toBe(200);
      const connections = await server.core.connections.list(person.subject);
      expect(connections.map(({ clientId }) => clientId)).toEqual([agent.url]);
      expect(await server.core.stores.clients.find(agent.url)).toMatchObject({
        origin: 'metadata',
        reviewedAt: null,
        metadata: { profile: 'mcp-client', client_name: agent.document.client_name, loopback_ports: 'any' },
      });
      expect(await server.core.stores.audit.list({ clientId: agent.url }, 10)).toEqual(
        expect.arrayContaining([expect.objectContaining({ event: 'client.registered' })]),
      );
      // The person ends it, as any application.
      const caller = { via: 'account' };
      expect(await server.core.connections.end(person.subject, agent.url, caller)).toBe(true);
      const ended = await refresh(node, { id: agent.url }, again.body.refresh_token, { resource, ...assertion(agent) });
      expect([ended.status, ended.body.error]).toEqual([400, 'invalid_grant']);
    });
  }

  test('a client that names its keys must use them', async () => {
    const agent = { ...fresh(signingAgent), url: 'https://chat.example/oauth/other.json' };
    publish(agent);
    const { page, verifier } = await allowed(agent);
    const bare = await redeem(
      server,
      { id: agent.url },
      { code: codeOf(page), code_verifier: verifier },
      { redirect_uri: agent.redirect },
    );
    expect([bare.status, bare.body.error]).toEqual([401, 'invalid_client']);
  });

  test('metadata says so in both documents, and lists none', async () => {
    for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
      const body = (await (await fetch(server.url + path)).json()) as Record<string, unknown>;
      expect(body).toMatchObject({
        client_id_metadata_document_supported: true,
        registration_endpoint: `${server.url}/oauth/register`,
        authorization_response_iss_parameter_supported: true,
        token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
        code_challenge_methods_supported: ['S256'],
      });
    }
  });

  test('the consent page names the host of the document and of the redirect, and warns of loopback', async () => {
    const here = fresh(agents['Claude Code'] ?? hostedAgent);
    publish(here);
    const there = fresh(hostedAgent);
    publish(there);
    const local = (await connect(here)).consent.text;
    expect(local).toMatch(/describes itself at <bdi>app\d+-\w+\.example<\/bdi>\. It runs on your own device/);
    expect(local).toContain('has not checked this application');
    expect(local).toMatch(/takes you back to <bdi>localhost:53682<\/bdi>/);
    const hosted = (await connect(there)).consent.text;
    expect(hosted).toContain('describes itself at');
    expect(hosted).not.toContain('It runs on your own device');
  });

  test('50 authorizations at once fetch one document, and strangers store no row', async () => {
    const agent = fresh(hostedAgent);
    const { requests } = publish(agent);
    const answered = await Promise.all(
      Array.from({ length: 50 }, () => fetch(server.url + address(request(agent).parameters), { redirect: 'manual' })),
    );
    expect(answered.map(({ status }) => status)).toEqual(Array(50).fill(303));
    expect(requests()).toBe(1);
    expect(await server.core.stores.clients.find(agent.url)).toBeUndefined();
  });

  test('a remembered consent stands until name, redirects or keys change; then the person is asked again', async () => {
    const agent = fresh(hostedAgent);
    publish(agent);
    const { person, browser } = await connect(agent);
    const silent = async () => (await connect(agent, { person, browser })).consent;
    expect((await silent()).status).toBe(303);
    publish(agent, { logo_uri: 'https://assistant.example/logo.png' });
    travel(7200);
    expect((await silent()).status).toBe(303);
    const changes: Record<string, unknown>[] = [
      { client_name: 'Other Assistant' },
      { redirect_uris: [agent.redirect, 'https://other.example/cb'] },
      { token_endpoint_auth_method: 'private_key_jwt', jwks: keySet },
    ];
    for (const change of changes) {
      publish(agent, change);
      travel(7200);
      const page = await browser.go(address(request(agent).parameters));
      expect([change, page.status, page.text.includes('has changed its name')]).toEqual([change, 200, true]);
      expect((await browser.submit(page, hidden(page, { answer: 'allow' }))).location).toContain('code=');
      const repeated = await browser.go(address(request(agent).parameters));
      expect(repeated.location).toContain('code=');
    }
    const updates = await server.core.stores.audit.list({ clientId: agent.url, event: 'client.updated' }, 10);
    expect(updates.length).toBeGreaterThanOrEqual(3);
  });

  test('a document that changes while the page is open is shown again before it is allowed', async () => {
    const agent = fresh(hostedAgent);
    answers['/client.json'] = { headers: { 'cache-control': 'max-age=60' } };
    publish(agent);
    const person = await buildPerson(server);
    const browser = new Agent(server);
    const page = await browser.submit(await browser.go(address(request(agent).parameters)), {
      username: person.username,
      password: person.password,
    });
    publish(agent, { client_name: 'Quite Another' });
    travel(120);
    await new Agent(server).go(address(request(agent).parameters));
    const shown = await browser.submit(page, hidden(page, { answer: 'allow' }));
    expect([shown.status, shown.location]).toEqual([200, undefined]);
    expect(shown.text).toContain('Quite Another');
  });

  test('a document that ends while the page is open is not allowed, and no row of it is stored', async () => {
    const agent = fresh(hostedAgent);
    answers['/client.json'] = { headers: { 'cache-control': 'max-age=60' } };
    publish(agent);
    const person = await buildPerson(server);
    const browser = new Agent(server);
    const page = await browser.submit(await browser.go(address(request(agent).parameters)), {
      username: person.username,
      password: person.password,
    });
    answers['/client.json'] = { status: 404 };
    travel(120);
    await new Agent(server).go(address(request(agent).parameters));
    const refused = await browser.submit(page, hidden(page, { answer: 'allow' }));
    expect([refused.status, refused.location]).toEqual([400, undefined]);
    expect(await server.core.stores.clients.find(agent.url)).toBeUndefined();
    expect(await server.core.stores.consents.list(person.subject)).toEqual([]);
  });

  test('after a change of its redirects a client gets no errors before the person has agreed again', async () => {
    const agent = fresh(hostedAgent);
    publish(agent);
    const { browser } = await connect(agent);
    const elsewhere = { ...agent, redirect: 'https://elsewhere.example/cb' };
    publish(agent, { redirect_uris: [elsewhere.redirect] });
    travel(7200);
    const page = await browser.go(address(request(elsewhere, { prompt: 'none' }).parameters));
    expect([page.status, page.location]).toEqual([400, undefined]);
  });

  test('the last good copy serves for a day while the address fails, on both nodes, and not longer', async () => {
    const agent = fresh(hostedAgent);
    publish(agent);
    const { answer } = await connect(agent);
    let token = answer.body.refresh_token;
    for (const [hours, status] of [
      [2, 503],
      [5, 403],
      [10, 429],
      [1, 0],
      [5, 500],
    ] as const) {
      answers['/client.json'] = { status, body: '{}' };
      travel(hours * 3600);
      for (const one of [server, node]) await one.core.changes.check();
      const next = await refresh(hours % 2 ? server : node, { id: agent.url }, token, { resource });
      expect([hours, next.status]).toEqual([hours, 200]);
      token = next.body.refresh_token;
    }
    await server.core.changes.check();
    travel(4 * 3600);
    const over = await refresh(server, { id: agent.url }, token, { resource });
    expect([over.status, over.body.error]).toEqual([401, 'invalid_client']);
    expect(await recorded(server, over)).toMatchObject({
      check: 'client_document',
      received: expect.stringMatching(/status 500/),
    });
    answers = {};
    travel(120);
    expect((await refresh(server, { id: agent.url }, token, { resource })).status).toBe(200);
  });

  test('404, 410 and an invalid document end it at once: tokens are refused, and the record says why', async () => {
    const ends: [Record<string, unknown>, RegExp][] = [
      [{ status: 404 }, /status 404/],
      [{ status: 410 }, /status 410/],
      [{ body: '<html>' }, /not a JSON object/],
      [{ type: 'text/html' }, /type is not application\/json/],
      [{ status: 302, headers: { location: `https://127.0.0.1:${canary.port}/` } }, /redirect/],
    ];
    for (const [end, reason] of ends) {
      const agent = fresh(hostedAgent);
      publish(agent);
      const { answer } = await connect(agent);
      answers['/client.json'] = end;
      travel(7200);
      const ended = await refresh(server, { id: agent.url }, answer.body.refresh_token, { resource });
      expect([end, ended.status, ended.body.error]).toEqual([end, 401, 'invalid_client']);
      expect(await recorded(server, ended)).toMatchObject({
        check: 'client_document',
        received: expect.stringMatching(reason),
      });
      expect((await refusal(agent)).check).toBe('client_document');
      // Another node knows it from the row, and no token of the client works there.
      await node.core.changes.check();
      expect((await node.core.cached.find(agent.url))?.disabledAt).toEqual(expect.any(Number));
      answers = {};
      travel(120);
      const back = await refresh(server, { id: agent.url }, answer.body.refresh_token, { resource });
      expect([back.status, back.body.error_description]).toEqual([200, undefined]);
    }
    expect(canary.seen()).toBe(0);
  });

  test('a document that is no document of this client is refused with the reason, and not kept', async () => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ client_id: 'https://other.example/client.json' }, /client_id is not the address/],
      [{ client_name: undefined }, /no client_name/],
      [{ client_name: 'Gatehouse' }, /client_name is reserved/],
      [{ redirect_uris: undefined }, /no redirect_uris/],
      [{ redirect_uris: ['http://evil.example/cb', 'javascript:alert(1)'] }, /no redirect URI/],
      [{ client_secret: 'x' }, /client_secret/],
      [{ client_secret_expires_at: 0 }, /client_secret_expires_at/],
      [{ token_endpoint_auth_method: 'client_secret_basic' }, /needs a secret/],
      [{ token_endpoint_auth_method: 'client_secret_jwt' }, /needs a secret/],
      [
        { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [privateKey.export({ format: 'jwk' })] } },
        /public keys only/,
      ],
      [{ token_endpoint_auth_method: 'private_key_jwt' }, /needs jwks/],
    ];
    for (const [change, reason] of wrong) {
      const agent = fresh(hostedAgent);
      const { requests } = publish(agent, change);
      const { status, check, received } = await refusal(agent);
      expect([change, status, check]).toEqual([change, 400, 'client_document']);
      expect(received).toMatch(reason);
      // A moment of rest, so that no one makes this server send a stream of requests.
      await new Agent(server).go(address(request(agent).parameters));
      expect(requests()).toBe(1);
      publish(agent);
      travel(15);
      expect((await new Agent(server).go(address(request(agent).parameters))).status).toBe(200);
    }
  });

  test('E6: document: no connection to loopback by address, by name, by redirect or by a second resolution', async () => {
    outside.name('inward.example', ['127.0.0.1']);
    outside.serve('rebound.example', (_req, res) => void res.writeHead(500).end());
    outside.name('rebound.example', ['93.184.215.14'], ['127.0.0.1']);
    outside.serve('moved.example', (_req, res) => {
      res.writeHead(307, { location: `https://127.0.0.1:${canary.port}/client` }).end();
    });
    const { port } = canary;
    for (const url of [
      `https://127.0.0.1:${port}/client`,
      `https://[::1]:${port}/client`,
      `https://[::ffff:7f00:1]:${port}/client`,
      `https://0.0.0.0:${port}/client`,
      `https://2130706433:${port}/client`,
      `https://0x7f.1:${port}/client`,
      `https://127.1:${port}/client`,
      `https://inward.example:${port}/client`,
      `https://inward.example.:${port}/client`,
      `https://user@127.0.0.1:${port}/client`,
      'https://moved.example/client',
      'https://rebound.example/client',
    ]) {
      expect([url, (await refusal({ url, redirect: 'https://a.example/cb' })).check]).toEqual([url, 'client_document']);
    }
    travel(60);
    const again = await refusal({ url: 'https://rebound.example/client', redirect: 'https://a.example/cb' });
    expect(again.received).toMatch(/not public/);
    expect(canary.seen()).toBe(0);
  });

  test('E6: logo and keys in a document: this server connects to neither address on loopback', async () => {
    const agent = fresh(signingAgent, {
      jwks_uri: `https://127.0.0.1:${canary.port}/jwks`,
      logo_uri: `https://127.0.0.1:${canary.port}/logo.png`,
    });
    publish(agent);
    const { page, verifier } = await allowed(agent);
    const answer = await redeem(
      server,
      { id: agent.url },
      { code: codeOf(page), code_verifier: verifier },
      {
        redirect_uri: agent.redirect,
        ...assertion(agent),
      },
    );
    expect(answer.status).toBe(401);
    expect(await recorded(server, answer)).toMatchObject({ check: 'client_keys_unavailable' });
    expect(canary.seen()).toBe(0);
  });

  test('E6: a document of more than 64 KB is refused', async () => {
    const agent = fresh(hostedAgent, { filler: 'x'.repeat(70_000) });
    publish(agent);
    expect((await refusal(agent)).received).toMatch(/longer than 65536 bytes/);
  });

  test('addresses that no document may have are refused without a request', async () => {
    for (const path of ['', '/', '/a/../b', '/a/./b', '/%2e%2e/b', '/client?x=1', '/client#x', '//x\\y'])
      expect([
        path,
        (await refusal({ url: `https://app.example${path}`, redirect: 'https://a.example/cb' })).check,
      ]).toEqual([path, 'client_document']);
    expect(outside.resolved.get('app.example')).toBeUndefined();
  });

  test('a device of such a client polls, is allowed and gets its tokens, on both nodes', async () => {
    const agent = fresh(agents['VS Code'] ?? hostedAgent);
    publish(agent);
    const client = { id: agent.url };
    const begun = await begin(server, client, { scope: 'tools:use', resource });
    for (const [n, one] of [server, node].entries()) {
      travel(6 * n);
      expect((await poll(one, client, begun)).body.error).toBe('authorization_pending');
    }
    const done = await allow(new Agent(server), await buildPerson(server), begun.user_code);
    expect(done.status).toBe(200);
    travel(12);
    const { status, body } = await poll(node, client, begun);
    expect([status, body]).toEqual([200, expect.objectContaining({ scope: 'tools:use' })]);
    expect((await refresh(server, client, body.refresh_token)).status).toBe(200);
  });

  test('it is told of a logout at the address in its document', async () => {
    const agent = fresh(hostedAgent, { backchannel_logout_uri: `https://told-${storage.kind}.example/logout` });
    publish(agent);
    const told = outside.serve(`told-${storage.kind}.example`, (_req, res) => res.writeHead(200).end());
    const { browser } = await connect(agent);
    await browser.confirmLogout(await browser.go('/oauth/logout'));
    await eventually('it is told', () => told.requests.includes('POST /logout'));
  });

  test('introspection of its tokens does not wait for the document', async () => {
    const agent = fresh(hostedAgent);
    publish(agent);
    const { answer } = await connect(agent);
    travel(7200);
    outside.serve(new URL(agent.url).host, () => {});
    const { status } = await ask(server, 'introspect', { id: agent.url }, answer.body.refresh_token);
    expect(status).toBe(200);
  });

  test('DYNAMIC_CLIENT_SCOPES is the ceiling: a document gets no scope beyond it', async () => {
    const bounded = await storage.join(
      server,
      { MCP: 'true', DYNAMIC_CLIENT_SCOPES: 'openid tools:use', DATA_DIR: server.dataDir },
      outside.network,
    );
    const agent = fresh(hostedAgent, { scope: 'openid email tools:use' });
    publish(agent);
    const client = await bounded.core.metadataClients.current(agent.url, undefined);
    expect(client?.metadata.scope).toBe('openid tools:use');
    const bare = fresh(hostedAgent);
    publish(bare);
    expect((await bounded.core.metadataClients.current(bare.url, undefined))?.metadata.scope).toBe('openid tools:use');
    // Also when it is read again: an empty scope means none.
    const empty = fresh(hostedAgent, { scope: '' });
    publish(empty);
    for (const seconds of [0, 7200]) {
      travel(seconds);
      const found = await bounded.core.metadataClients.current(empty.url, undefined);
      expect([found?.disabledAt, found?.metadata.scope]).toEqual([null, 'openid tools:use']);
    }
  });

  test('with MCP=false such an id is unknown, and the record says which setting', async () => {
    const off = await storage.join(server, { MCP: 'false' }, outside.network);
    const agent = fresh(hostedAgent);
    const { requests } = publish(agent);
    const page = await new Agent(off).go(address(request(agent).parameters));
    const reference = /\/why\/([\w-]+)>/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect(page.status).toBe(400);
    expect(await off.core.refusals.find(reference)).toMatchObject({
      check: 'client_document_off',
      received: 'MCP=false',
    });
    expect(requests()).toBe(0);
    const discovery = await (await fetch(`${off.url}/.well-known/openid-configuration`)).json();
    expect(discovery).not.toHaveProperty('client_id_metadata_document_supported');
    expect(discovery).not.toHaveProperty('registration_endpoint');
  });

  test('a document that makes this server fetch too much is not fetched, and the record says so', async () => {
    const ids = Array.from({ length: 201 }, (_, i) => `https://flood${storage.kind}.example/${i}`);
    outside.name(`flood${storage.kind}.example`, ['127.0.0.1']);
    for (const id of ids) await server.core.metadataClients.current(id, '203.0.113.9');
    expect(server.core.metadataClients.why(ids[199] ?? '')).toMatch(/not public/);
    expect(server.core.metadataClients.why(ids[200] ?? '')).toMatch(/Too many documents/);
    expect(outside.resolved.get(`flood${storage.kind}.example`)).toBe(200);
  });

  test('an operator disables, but neither reviews nor edits it; the second factor is the operator’s', async () => {
    const agent = fresh(hostedAgent);
    publish(agent);
    const { answer } = await connect(agent);
    const { clients } = server.app;
    expect(await clients.review(agent.url)).toEqual({ outcome: 'described' });
    const rename = await clients.patch(agent.url, (stored) => ({ ...stored, client_name: 'Mine' }), { by: 'admin' });
    expect(rename).toEqual({ outcome: 'described' });
    const stricter = await clients.patch(agent.url, (stored) => ({ ...stored, second_factor: 'required' }), {
      by: 'admin',
    });
    expect(stricter.outcome).toBe('updated');
    travel(7200);
    publish(agent, { logo_uri: 'https://assistant.example/new.png' });
    const next = await refresh(server, { id: agent.url }, answer.body.refresh_token, { resource });
    expect(next.status).toBe(200);
    expect((await clients.find(agent.url))?.metadata).toMatchObject({
      second_factor: 'required',
      logo_uri: expect.stringContaining('new'),
    });
    await clients.disable(agent.url);
    const refused = await refresh(server, { id: agent.url }, next.body.refresh_token, { resource });
    expect([refused.status, refused.body.error]).toEqual([401, 'invalid_client']);
    expect((await recorded(server, refused))?.check).toBe('client_disabled');
  });

  test('an operator pins a copy of a document, which is never fetched, and releases it again', async () => {
    const agent = fresh(hostedAgent);
    const { requests } = publish(agent, { client_name: 'At Its Address' });
    const { metadataClients } = node.core;
    const wrong = await metadataClients.pin(agent.url, { client_id: 'https://other.example/client.json' });
    expect(wrong).toMatchObject({ outcome: 'invalid', reason: expect.stringMatching(/client_id is not the address/) });
    const copy = { client_id: agent.url, ...agent.document, client_name: 'As Pinned' };
    expect((await metadataClients.pin(agent.url, copy)).outcome).toBe('pinned');
    await server.core.changes.check();
    const { answer, consent } = await connect(agent);
    expect([answer.status, consent.text.includes('As Pinned')]).toEqual([200, true]);
    travel(7 * 86_400);
    expect((await new Agent(server).go(address(request(agent).parameters))).status).toBe(200);
    expect(requests()).toBe(0);
    expect(await metadataClients.unpin(agent.url)).toBe(true);
    expect(await metadataClients.unpin(agent.url)).toBe(false);
    await server.core.changes.check();
    await new Agent(server).go(address(request(agent).parameters));
    expect([requests(), (await server.core.stores.clients.find(agent.url))?.metadata.client_name]).toEqual([
      1,
      'At Its Address',
    ]);
  });
});
