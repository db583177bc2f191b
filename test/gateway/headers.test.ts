/** What an upstream is sent, and what of its answer comes back. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { identityHeaders } from '../../src/gateway/headers.ts';
import { raw } from '../support/flow.ts';
import { spoofed } from './spoofed-headers.ts';
import {
  apiSessionToken,
  audience,
  call,
  type Gateway,
  machineToken,
  openService,
  type RouteInFile,
  type Service,
  startGateway,
} from './world.ts';

let service: Service;
let server: Gateway;
let bearer: string;
let table: RouteInFile[];
let answerWith: (res: import('node:http').ServerResponse, req: import('node:http').IncomingMessage) => void;

beforeAll(async () => {
  service = await openService((req, res) => answerWith(res, req));
  const plain = { tokens: ['oauth'], audience, upstream: service.url };
  table = [
    { ...plain, prefix: '/api' },
    { ...plain, prefix: '/token-passed', passToken: true },
    { ...plain, prefix: '/host-kept', preserveHost: true },
    { ...plain, prefix: '/get-only', methods: ['GET'] },
    { prefix: '/mine', tokens: ['tinyoauth'], upstream: service.url },
    { ...plain, prefix: '/ruled', stripHeaders: ['X-Tenant*'], passHeaders: ['Cf-IPCountry', 'X-User-*'] },
  ];
  server = await startGateway(table, {
    ISSUER: 'https://id.example.com',
    DEVELOPMENT_ON: 'https://id.example.com',
    TRUST_PROXY: '127.0.0.1',
  });
  bearer = await machineToken({ ...server, url: `http://localhost:${server.port}` });
});
afterAll(async () => {
  await server.close();
  await service.close();
});

/** The headers as they reached the upstream, each occurrence by itself. */
async function sent(path: string, headers: Record<string, string | readonly string[]> = {}, token = bearer) {
  answerWith = (res, req) => res.end(JSON.stringify(req.headersDistinct));
  const answer = await call(server, { path, headers, bearer: token });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as Record<string, string[] | undefined>;
}

describe('to the upstream', () => {
  test('only the gateway says who a person is', async () => {
    const names = ['Subject', 'Username', 'Client', 'Scope', 'Token-Kind', 'Session', 'Admin'];
    const spoofed = Object.fromEntries(
      names.flatMap((name) => [
        [`X-Gatehouse-${name}`, 'evil'],
        [`x_gatehouse_${name.toLowerCase()}`, 'evil'],
        [`X-Gatehouse_${name.toUpperCase()}`, 'evil'],
        [`X.Gatehouse.${name}`, 'evil'],
      ]),
    );
    for (const token of [bearer, (await apiSessionToken(server, 'tinyoauth')).token]) {
      const got = await sent(token === bearer ? '/api' : '/mine', spoofed, token);
      expect(JSON.stringify(got)).not.toContain('evil');
      expect(Object.keys(got).filter((name) => /gatehouse/.test(name) && !/^x-gatehouse-[a-z-]+$/.test(name))).toEqual(
        [],
      );
    }
  });

  test('Connection cannot take away what the gateway sets', async () => {
    const connection = 'close, x-gatehouse-client, X-Forwarded-For, x-private, host, content-length, via';
    const got = await sent('/api', { connection, 'x-private': '1', 'x-public': '2' });
    expect([got['x-private'], got['x-public']]).toEqual([undefined, ['2']]);
    expect(got['x-gatehouse-client']).toHaveLength(1);
    expect(got['x-forwarded-for']).toHaveLength(1);
    expect(got.host).toEqual([new URL(service.url).host]);
  });

  test('where the caller comes from is what TRUST_PROXY settled, and where it was is the issuer', async () => {
    const got = await sent('/api', {
      'x-forwarded-for': '203.0.113.9, 198.51.100.7',
      x_forwarded_for: '6.6.6.6',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      'x-forwarded-port': '1',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-uri': '/evil',
      'x-real-ip': '6.6.6.6',
      'x-original-url': '/evil',
      'x-rewrite-url': '/evil',
      forwarded: 'for=6.6.6.6',
      'x-request-id': 'evil',
    });
    expect(JSON.stringify(got)).not.toMatch(/6\.6\.6\.6|evil|203\.0\.113|gopher/);
    expect([
      got['x-forwarded-for'],
      got['x-forwarded-host'],
      got['x-forwarded-proto'],
      got['x-forwarded-port'],
    ]).toEqual([['198.51.100.7'], ['id.example.com'], ['https'], ['443']]);
    expect(got['x-request-id']?.[0]).toMatch(/^[0-9a-f-]{13}$/);
  });

  test('the token stays here, unless the route says otherwise', async () => {
    expect(
      (await sent('/api', { proxy_authorization: 'x', 'proxy-authorization': 'y' })).authorization,
    ).toBeUndefined();
    expect((await sent('/token-passed')).authorization).toEqual([`Bearer ${bearer}`]);
    const answer = await raw(
      server,
      `GET /token-passed HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\nAuthorization: Bearer evil\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('the cookies of this server stay here, others pass', async () => {
    const own = [
      'gatehouse',
      'gatehouse.sig',
      '__Host-gatehouse',
      '__Host-gatehouse.sig',
      'gatehouse-browser',
      '__Secure-gatehouse-resume',
    ];
    const cookie = ['theirs=1', ...own.map((name) => `${name}=secret`), 'gatehouses=2'].join('; ');
    expect((await sent('/api', { cookie })).cookie).toEqual(['theirs=1; gatehouses=2']);
    expect((await sent('/api', { cookie: '__Host-gatehouse=secret' })).cookie).toBeUndefined();
    expect((await sent('/api', { cookie: 'a=1', connection: 'close, cookie' })).cookie).toBeUndefined();
  });

  test('headers of one connection stay on it', async () => {
    const got = await sent('/api', {
      'transfer-encoding': 'chunked',
      te: 'trailers, gzip',
      trailer: 'x',
      'keep-alive': 'timeout=5',
      upgrade: 'h2c',
      'http2-settings': 'x',
      'proxy-connection': 'keep-alive',
      expect: '100-continue',
      connection: 'keep-alive, upgrade',
    });
    for (const name of ['te', 'trailer', 'upgrade', 'http2-settings', 'proxy-connection', 'expect']) {
      expect([name, got[name]]).toEqual([name, undefined]);
    }
    expect(got.via).toEqual(['1.1 gatehouse']);
    expect((await sent('/api', { via: '1.0 fred' })).via).toEqual(['1.0 fred, 1.1 gatehouse']);
  });

  test('Host is the upstream’s own, or the issuer’s, never the caller’s', async () => {
    expect((await sent('/api', { host: 'evil.example' })).host).toEqual([new URL(service.url).host]);
    expect((await sent('/host-kept', { host: 'evil.example' })).host).toEqual(['id.example.com']);
  });

  test('S14: what proxies say of a caller never comes from the caller, however it is spelled', async () => {
    for (const [path, token] of [
      ['/api', bearer],
      ['/get-only', bearer],
      ['/mine', (await apiSessionToken(server, 'tinyoauth')).token],
    ] as const) {
      const names = Object.keys(spoofed);
      // As many at a time as fit into the headers of a request.
      for (let at = 0; at < names.length; at += 100) {
        const some = Object.fromEntries(names.slice(at, at + 100).map((name) => [name, 'evil']));
        expect(JSON.stringify(await sent(path, { ...some, 'x-harmless': 'yes' }, token))).not.toContain('evil');
      }
    }
  });

  test.each([
    ...['Forwarded-For', 'X-Forwarded', 'Proxy-Client-IP', 'WL-Proxy-Client-IP', 'X-True-Client-IP', 'Cdn-Src-IP'],
    ...['WL-Proxy-Client-Cert', 'Kubeflow-UserID', 'X-Sandstorm-User-Id', 'X-SSO-User', 'X-Principal', 'X-Subject'],
    ...['X-Auth-Name', 'X-Auth-Audience', 'X-Scheme', 'X-Url-Scheme', 'Front-End-Https'],
    ...['SCRIPT_NAME', 'Script-Name', 'X-Script-Name', 'PATH_INFO', 'HTTP-Method-Override'],
  ])('S14: %s, which fewer proxies use, does not come from the caller either', async (name) => {
    expect(JSON.stringify(await sent('/api', { [name]: 'evil' }))).not.toContain('evil');
  });

  test('S14: naming such a header in Connection does not get it through either', async () => {
    const got = await sent('/api', {
      connection: 'close, Remote-User, Remote_Groups, X-Request-Id',
      'Remote-User': 'evil',
      Remote_Groups: 'evil',
    });
    expect(JSON.stringify(got)).not.toContain('evil');
    expect(got['x-request-id']).toHaveLength(1);
  });

  test('S14: a trailer is no way around it', async () => {
    let trailers: unknown;
    answerWith = (res, req) => {
      req.resume().on('end', () => {
        trailers = req.rawTrailers;
        res.end('ok');
      });
    };
    const answer = await raw(
      server,
      `POST /api HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearer}\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nRemote-User: evil\r\nX-Gatehouse-Subject: evil\r\n\r\n`,
    );
    expect([answer.split('\r\n', 1)[0], trailers]).toEqual(['HTTP/1.1 200 OK', []]);
  });

  test('S14: a route may strip more, and pass on purpose what the default strips', async () => {
    const said = {
      'X-Tenant': '1',
      X_Tenant_Id: '1',
      'Cf-IPCountry': 'DE',
      'X-User-Name': 'ada',
      'Remote-User': 'evil',
    };
    const ruled = await sent('/ruled', said);
    expect([ruled['cf-ipcountry'], ruled['x-user-name']]).toEqual([['DE'], ['ada']]);
    expect([ruled['x-tenant'], ruled.x_tenant_id, ruled['remote-user']]).toEqual([undefined, undefined, undefined]);
    const plain = await sent('/api', said);
    expect([plain['x-tenant'], plain.x_tenant_id]).toEqual([['1'], ['1']]);
    expect([plain['cf-ipcountry'], plain['x-user-name']]).toEqual([undefined, undefined]);
  });

  test('S14: rules beside the routes hold for all of them, and a route’s own come first', async () => {
    const plain = { tokens: ['oauth'], audience, upstream: service.url };
    const before = { prefix: '/before', ...plain, passHeaders: ['X-Tenant'], stripHeaders: ['X-Real-IP'] };
    const routes = [{ prefix: '/all', ...plain }, before, { prefix: '/gets', ...plain, methods: ['GET'] }];
    const passHeaders = ['X-Real-IP', 'X-HTTP-Method-Override'];
    server.write(JSON.stringify({ stripHeaders: ['X-Tenant*'], passHeaders, routes }));
    await server.app.reloadRoutes();
    const said = { 'X-Tenant': '1', 'X-Tenant-Id': '2', 'X-Real-IP': '192.0.2.1', 'X-HTTP-Method-Override': 'PUT' };
    const told = async (path: string) => {
      const got = await sent(path, said);
      return Object.keys(said).filter((name) => got[name.toLowerCase()] !== undefined);
    };
    try {
      expect(await told('/all')).toEqual(['X-Real-IP', 'X-HTTP-Method-Override']);
      expect(await told('/before')).toEqual(['X-Tenant', 'X-HTTP-Method-Override']);
      // It would get around the methods that the route names.
      expect(await told('/gets')).toEqual(['X-Real-IP']);
    } finally {
      server.write(table);
      await server.app.reloadRoutes();
    }
  });

  test('everything else passes as it is, large headers too', async () => {
    const large = 'x'.repeat(12_000);
    const got = await sent('/api?a=b&a=c%20d', {
      accept: 'text/plain;q=0.5, */*',
      'accept-encoding': 'br',
      'if-none-match': '"a", "b"',
      range: 'bytes=1-2',
      origin: 'https://app.example.com',
      'x-large': large,
      'x-user-agent': 'grpc-web-javascript/0.1',
      'X-Both': ['1', '2'],
    });
    expect(got['accept-encoding']).toEqual(['br']);
    expect(got['x-large']?.[0]).toBe(large);
    expect([got['x-both'], got['x-user-agent']]).toEqual([['1, 2'], ['grpc-web-javascript/0.1']]);
    expect([got['if-none-match'], got.range, got.origin]).toEqual([
      ['"a", "b"'],
      ['bytes=1-2'],
      ['https://app.example.com'],
    ]);
  });
});

describe('from the upstream', () => {
  async function comesBack(write: typeof answerWith, method = 'GET') {
    answerWith = write;
    return call(server, { path: '/api', bearer, method });
  }

  test('each header comes back as it was written, lists kept apart', async () => {
    const answer = await comesBack((res) => {
      res.writeHead(203, 'Well, well', [
        ...['Set-Cookie', 'a=1; Path=/', 'Set-Cookie', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'],
        ...['Link', '</a>; rel=x', 'Link', '</b>; rel=y', 'X-CamelCase', '1', 'WWW-Authenticate', 'Basic, Custom'],
        ...[
          'Content-Type',
          'text/x',
          'ETag',
          'W/"1"',
          'Cache-Control',
          'max-age=5',
          'Server',
          'theirs',
          'Via',
          '1.1 x',
        ],
      ]);
      res.end('body');
    });
    const pairs = answer.rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${answer.rawHeaders[at + 1]}`] : [],
    );
    expect(pairs).toEqual(
      expect.arrayContaining([
        'Set-Cookie: a=1; Path=/',
        'Set-Cookie: b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
        'Link: </a>; rel=x',
        'Link: </b>; rel=y',
        'X-CamelCase: 1',
        'WWW-Authenticate: Basic, Custom',
        'Content-Type: text/x',
        'ETag: W/"1"',
        'Cache-Control: max-age=5',
        'Server: theirs',
        'Via: 1.1 x',
      ]),
    );
    expect([answer.status, answer.text]).toEqual([203, 'body']);
  });

  test('headers of one connection, and cookies in this server’s name, do not', async () => {
    const answer = await comesBack((res) => {
      res.writeHead(200, [
        ...['Connection', 'close, X-Private', 'X-Private', '1', 'Keep-Alive', 'timeout=99', 'Trailer', 'X-T'],
        ...['Proxy-Authenticate', 'Basic', 'Upgrade', 'h2c', 'Set-Cookie', '__Host-gatehouse=evil; Path=/'],
        ...['Set-Cookie', 'gatehouse.sig=evil', 'Set-Cookie', 'fine=1'],
      ]);
      res.end();
    });
    const { headers } = answer;
    expect([headers['x-private'], headers.trailer, headers['proxy-authenticate'], headers.upgrade]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect(headers['set-cookie']).toEqual(['fine=1']);
    expect(headers['keep-alive']).not.toBe('timeout=99');
  });

  test.each([204, 304])('%i has no body and keeps its headers', async (status) => {
    const answer = await comesBack((res) => {
      res.writeHead(status, { ETag: '"1"' });
      res.end();
    });
    expect([answer.status, answer.headers.etag, answer.text]).toEqual([status, '"1"', '']);
    expect(answer.headers['transfer-encoding']).toBeUndefined();
  });

  test('HEAD has the length of the body it leaves out', async () => {
    const answer = await comesBack((res) => {
      res.writeHead(200, { 'Content-Length': '12345' });
      res.end();
    }, 'HEAD');
    expect([answer.status, answer.headers['content-length'], answer.text]).toEqual([200, '12345', '']);
  });

  test('redirects and errors of the upstream are its own', async () => {
    for (const status of [302, 404, 418, 500, 503]) {
      const answer = await comesBack((res) => {
        res.writeHead(status, { Location: 'http://elsewhere.example/', 'Content-Type': 'text/plain' });
        res.end(`says ${status}`);
      });
      expect([answer.status, answer.headers.location, answer.text]).toEqual([
        status,
        'http://elsewhere.example/',
        `says ${status}`,
      ]);
    }
  });
});

test('what is no printable ASCII, and the percent sign itself, is percent-encoded', () => {
  const nobody = { subject: undefined, client: undefined, scope: undefined, session: undefined };
  const told = (username: string) => identityHeaders({ ...nobody, kind: 'identity', username })['X-Gatehouse-Username'];
  expect(told('Zoë 100%')).toBe('Zo%C3%AB 100%25');
  expect(told(' a\r\nX-Gatehouse-Subject: b ')).toBe('%20a%0D%0AX-Gatehouse-Subject: b%20');
  expect(told('\ud800')).toBe('%EF%BF%BD');
});
