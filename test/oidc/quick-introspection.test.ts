/**
 * Introspection answers clients with a secret before the engine sees them. Over this table of credentials it says what
 * the engine says at the token endpoint, where there is no such way around it: the same status, and the same `error`.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { token } from '../support/agent.ts';
import { raw, statusOf } from '../support/flow.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

const metadata = { redirect_uris: [], grant_types: ['client_credentials'] };
type Client = { id: string; secret: string };
/** Header lines, and a form. */
type Sent = readonly [name: string, headers: readonly string[], form: string];

describeStorages('introspection before the engine', (storage) => {
  let server: TestServer;
  let plain: Client;
  let other: Client;
  let special: Record<string, Client> = {};
  let value = '';
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '100000', CLIENT_SECRET_OVERLAP: '600' });
    plain = await buildClient(server, metadata);
    other = await buildClient(server, { ...metadata, token_endpoint_auth_method: 'client_secret_post' });
    const odd = await registered('odd.id_1~-');
    const { clients } = server.app;

    const rotated = await buildClient(server, metadata);
    const renewed = await clients.rotateSecret(rotated.id);
    const [disabled, deleted, back] = [await build(), await build(), await build()];
    await clients.disable(disabled.id);
    await clients.remove(deleted.id);
    await clients.disable(back.id);
    await clients.enable(back.id);
    // The secret before the last has ended at once.
    const ended = await buildClient(server, metadata);
    await clients.rotateSecret(ended.id);
    const last = await clients.rotateSecret(ended.id);
    if (renewed.outcome !== 'rotated' || last.outcome !== 'rotated') throw new Error('not rotated');
    special = {
      odd,
      'rotated, old secret': rotated,
      'rotated, new secret': { id: rotated.id, secret: renewed.secret },
      'rotated twice, first secret': ended,
      'rotated twice, last secret': { id: ended.id, secret: last.secret },
      disabled,
      deleted,
      'disabled and enabled': back,
      'of a disabled person': await ofDisabledPerson(),
      'with a key': { id: (await keyed()).id, secret: plain.secret },
      public: { id: (await buildClient(server, { token_endpoint_auth_method: 'none' })).id, secret: plain.secret },
      unknown: { id: 'nobody-here', secret: plain.secret },
    };
    value = (await token(server, plain, { grant_type: 'client_credentials' })).body.access_token ?? '';
  });
  afterAll(() => server.close());

  const build = () => buildClient(server, metadata);
  async function registered(id: string): Promise<Client> {
    const made = await server.app.clients.register(metadata, { origin: 'admin', owner: null, id });
    if (made.outcome !== 'registered') throw new Error(made.description);
    return { id, secret: made.secret ?? '' };
  }
  async function keyed() {
    const { publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
    const jwk = await crypto.subtle.exportKey('jwk', publicKey);
    const jwks = { keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, kid: 'k' }] };
    return buildClient(server, { ...metadata, token_endpoint_auth_method: 'private_key_jwt', jwks });
  }
  async function ofDisabledPerson(): Promise<Client> {
    const owner = await buildPerson(server);
    const made = await server.app.clients.register(
      { client_name: 'Shelf', redirect_uris: ['https://app.example.com/cb'] },
      { origin: 'person', owner: owner.subject },
    );
    if (made.outcome !== 'registered') throw new Error(made.description);
    await server.core.accounts.disable(owner.subject);
    return { id: made.client.id, secret: made.secret ?? '' };
  }

  const basic64 = (pair: string | Buffer) => Buffer.from(pair).toString('base64');
  const header = (pair: string | Buffer, scheme = 'Basic') => `Authorization: ${scheme} ${basic64(pair)}`;
  const hex = (text: string) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const enc = encodeURIComponent;
  const inForm = ({ id, secret }: Client) => `client_id=${enc(id)}&client_secret=${enc(secret)}`;

  function table(): Sent[] {
    const { id, secret } = plain;
    const right = header(`${id}:${secret}`);
    const assertion = `client_assertion_type=${enc('urn:ietf:params:oauth:client-assertion-type:jwt-bearer')}`;
    return [
      // Encodings.
      ['Basic', [right], ''],
      ['Basic, percent-encoded', [header(`${enc(id)}:${enc(secret)}`)], ''],
      ['Basic, every character encoded', [header(`${hex(id)}:${hex(secret)}`)], ''],
      ['Basic, encoded twice', [header(`${enc(hex(id))}:${enc(hex(secret))}`)], ''],
      ['Basic, bad percent-encoding', [header(`${id}:${secret}%zz`)], ''],
      ['Basic, half a percent-encoding', [header(`${id}:${secret}%`)], ''],
      ['Basic, U+0000', [header(`${id}:${secret}%00`)], ''],
      ['Basic, a line break', [header(`${id}:${secret}%0a`)], ''],
      ['Basic, an umlaut', [header(`${id}:${secret}%C3%BC`)], ''],
      ['Basic, Latin-1 bytes', [header(Buffer.from(`${id}:${secret}\u00fc`, 'latin1'))], ''],
      ['Basic, a blank at the end', [header(`${id}:${secret}+`)], ''],
      ['Basic, a blank in front', [header(`${id}:%20${secret}`)], ''],
      ['basic in small letters', [header(`${id}:${secret}`, 'basic')], ''],
      ['BASIC in capitals', [header(`${id}:${secret}`, 'BASIC')], ''],
      ['Basic without padding', [right.replace(/=+$/, '')], ''],
      ['Basic with more padding', [`${right}=`], ''],
      [
        'Basic in base64url',
        [header(`${id}:${secret}\u00ff\u00fe>>>???`).replaceAll('+', '-').replaceAll('/', '_')],
        '',
      ],
      ['Basic, two blanks', [right.replace('Basic ', 'Basic  ')], ''],
      ['Basic, a word behind', [`${right} x`], ''],
      ['Basic, not base64', ['Authorization: Basic %%%%'], ''],
      ['Basic, no colon', [header(`${id}${secret}`)], ''],
      ['Basic, two colons', [header(`${id}:${secret}:x`)], ''],
      ['Basic, empty', ['Authorization: Basic '], ''],
      ['Basic, no id', [header(`:${secret}`)], ''],
      ['Basic, no secret', [header(`${id}:`)], ''],
      ['Basic, a colon alone', [header(':')], ''],
      ['Bearer', [header(`${id}:${secret}`, 'Bearer')], ''],
      ['Digest', ['Authorization: Digest username="x"'], ''],
      ['an empty header', ['Authorization:'], ''],
      ['post', [], inForm(plain)],
      ['post, every character encoded', [], `client_id=${hex(id)}&client_secret=${hex(secret)}`],
      ['post, encoded twice', [], `client_id=${enc(id)}&client_secret=${enc(hex(secret))}`],
      ['post, a blank at the end', [], `${inForm(plain)}+`],
      ['post, bad percent-encoding', [], `${inForm(plain)}%zz`],
      ['post, no secret', [], `client_id=${enc(id)}`],
      ['post, an empty secret', [], `client_id=${enc(id)}&client_secret=`],
      ['post, no id', [], `client_secret=${enc(secret)}`],
      ['post, an empty id', [], `client_id=&client_secret=${enc(secret)}`],
      ['nothing', [], ''],
      // Doubled.
      ['Basic and the same by post', [right], inForm(plain)],
      ['Basic and another by post', [right], inForm(other)],
      ['Basic and the id', [right], `client_id=${enc(id)}`],
      ['Basic and another id', [right], `client_id=${enc(other.id)}`],
      ['Basic and an empty id', [right], 'client_id='],
      ['Basic and an empty secret', [right], 'client_secret='],
      ['the header twice', [right, right], ''],
      ['two headers', [right, header(`${other.id}:${other.secret}`)], ''],
      ['the id twice', [], `client_id=${enc(id)}&${inForm(plain)}`],
      ['two ids', [], `client_id=${enc(other.id)}&${inForm(plain)}`],
      ['the secret twice', [], `${inForm(plain)}&client_secret=${enc(secret)}`],
      ['Basic and the id twice', [right], `client_id=${enc(id)}&client_id=${enc(id)}`],
      ['Basic and an assertion', [right], `${assertion}&client_assertion=a.b.c`],
      ['post and an assertion', [], `${inForm(plain)}&${assertion}&client_assertion=a.b.c`],
      ['Basic and an empty assertion', [right], `${assertion}&client_assertion=`],
      ['an assertion alone', [], `${assertion}&client_assertion=a.b.c`],
      ['Basic and an attestation', [right, 'OAuth-Client-Attestation: a.b.c'], ''],
      // Wrong.
      ['wrong secret', [header(`${id}:wrong`)], ''],
      ['wrong secret by post', [], inForm({ id, secret: 'wrong' })],
      ['cut secret', [header(`${id}:${secret.slice(0, -1)}`)], ''],
      ['longer secret', [header(`${id}:${secret}x`)], ''],
      ['secret in capitals', [header(`${id}:${secret.toUpperCase()}x`)], ''],
      ['another client’s secret', [header(`${id}:${other.secret}`)], ''],
      ['the hash of the secret', [header(`${id}:${createHash('sha256').update(secret).digest('base64url')}`)], ''],
      ['id in capitals', [header(`${id.toUpperCase()}x:${secret}`)], ''],
      ['U+0000 in the id', [header(`${id}%00:${secret}`)], ''],
      ['a very long id', [], inForm({ id: 'x'.repeat(10_000), secret })],
      ['a very long secret', [], inForm({ id, secret: 'x'.repeat(10_000) })],
      // Other clients and other methods, by Basic and by post.
      ...[['registered for post', other] as const, ...Object.entries(special)].flatMap(([name, client]): Sent[] => [
        [`${name}, Basic`, [header(`${enc(client.id)}:${enc(client.secret)}`)], ''],
        [`${name}, Basic as it is`, [header(`${client.id}:${client.secret}`)], ''],
        [`${name}, post`, [], inForm(client)],
      ]),
    ];
  }

  /** As it stands: no HTTP client would send all of these. */
  async function send(path: string, form: string, headers: readonly string[]) {
    const lines = [`POST ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...headers];
    const about = ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${Buffer.byteLength(form)}`];
    const answer = await raw(server, [...lines, ...about, '', form].join('\r\n'));
    const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    return { status: statusOf(answer), body: JSON.parse(/\{[\s\S]*\}/.exec(body)?.[0] ?? '{}') };
  }

  test('the same status and error as at the token endpoint, for each of more than sixty credentials', async () => {
    const rows = table();
    expect(rows.length).toBeGreaterThan(60);
    const differences: unknown[] = [];
    let good = 0;
    for (const [name, headers, form] of rows) {
      const engine = await send('/oauth/token', `grant_type=client_credentials&${form}`, headers);
      const ours = await send('/oauth/introspect', `token=${value}&${form}`, headers);
      if (engine.status !== ours.status || engine.body.error !== ours.body.error)
        differences.push([name, engine.status, engine.body.error, ours.status, ours.body.error]);
      if (ours.status === 200) {
        good += 1;
        expect([name, typeof ours.body.active]).toEqual([name, 'boolean']);
      } else expect([name, ours.body.error_uri]).toEqual([name, expect.stringContaining('/why/')]);
    }
    expect(differences).toEqual([]);
    expect(good).toBeGreaterThan(15);
  });

  test('the response is the engine’s, header by header; with an origin it is the engine that answers', async () => {
    const ask = (headers: Record<string, string>) =>
      fetch(`${server.url}/oauth/introspect`, {
        method: 'POST',
        headers: { authorization: `Basic ${basic64(`${plain.id}:${plain.secret}`)}`, ...headers },
        body: new URLSearchParams({ token: value }),
      });
    const quick = await ask({});
    // With a query it is no plain case.
    const viaEngine = await fetch(`${server.url}/oauth/introspect?x`, {
      method: 'POST',
      body: new URLSearchParams({ token: value, client_id: plain.id, client_secret: plain.secret }),
    });
    const [body, engines] = [await quick.json(), await viaEngine.json()];
    expect(body).toMatchObject({ active: true, client_id: plain.id });
    expect(engines).toEqual(body);
    const shown = ({ headers, status }: Response) => [
      status,
      ...['content-type', 'cache-control', 'access-control-allow-origin', 'x-content-type-options', 'vary'].map(
        (name) => headers.get(name),
      ),
    ];
    expect(shown(quick)).toEqual(shown(viaEngine));
    expect((await ask({ origin: 'https://evil.example' })).status).toBe(400);
  });
});
