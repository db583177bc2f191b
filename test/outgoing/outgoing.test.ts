/** The careful fetch against real servers: what it connects to, what it reads, and how long it waits. */
import { createServer as createProxyServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLog } from '../../src/base/log.ts';
import type { OutgoingAnswer, OutgoingRequest } from '../../src/core/outgoing/outgoing.ts';
import type { Network } from '../../src/outgoing/network.ts';
import { createOutgoing } from '../../src/outgoing/outgoing.ts';
import { type Canary, type Outside, startCanary, startOutside, startPlain, startSilent } from '../support/outside.ts';

let outside: Outside;
let canary: Canary;
beforeAll(async () => {
  outside = await startOutside();
  canary = await startCanary();
});
afterAll(async () => {
  expect(canary.seen()).toBe(0);
  await canary.close();
  await outside.close();
});

const counted: Record<string, unknown>[] = [];
const { log } = createLog({ level: 'silent', format: 'json', to: { write: () => {} } });

function fetching(settings: { allow?: string[]; proxy?: string; network?: Network | undefined } = {}) {
  const { allow = [], proxy } = settings;
  const network = 'network' in settings ? settings.network : outside.network;
  const metrics = { count: (_name: string, labels: object) => void counted.push({ ...labels }) };
  const outgoing = createOutgoing({ config: { outgoing: { allow, proxy } }, log, metrics, network });
  return (url: string, request: Partial<OutgoingRequest> = {}) =>
    outgoing.fetch({ url, purpose: 'keys', reviewed: true, ...request });
}

const ruleOf = (answer: OutgoingAnswer) =>
  answer.outcome === 'answered' ? answer.status : answer.outcome === 'refused' ? answer.rule : answer.fault;

describe('an answer', () => {
  test('has status, headers and body, and the request names the host', async () => {
    const asked: unknown[] = [];
    const { url } = outside.serve('app.example', (req, res) => {
      asked.push([req.method, req.url, req.headers.host, req.headers['user-agent'], req.headers.accept]);
      res.writeHead(200, { 'content-type': 'application/json', 'x-list': ['a', 'b'] }).end('{"a":1}');
    });
    const answer = await fetching()(`${url}/keys?x=1`, { headers: { accept: 'application/json' } });
    expect(answer).toMatchObject({
      outcome: 'answered',
      status: 200,
      headers: { 'content-type': 'application/json', 'x-list': 'a, b' },
    });
    expect(answer.outcome === 'answered' && answer.body.toString()).toBe('{"a":1}');
    expect(asked).toEqual([['GET', '/keys?x=1', 'app.example', 'Gatehouse', 'application/json']]);
    expect(counted.at(-1)).toEqual({ purpose: 'keys', outcome: 'answered' });
  });

  test('to a POST: the body arrives whole', async () => {
    let body = '';
    const { url } = outside.serve('post.example', (req, res) => {
      req.on('data', (part) => {
        body += part;
      });
      req.once('end', () => res.writeHead(400).end());
    });
    const answer = await fetching()(url, {
      method: 'POST',
      body: 'logout_token=ü',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(ruleOf(answer)).toBe(400);
    expect(body).toBe('logout_token=ü');
  });

  test('of another host than its certificate says is a fault', async () => {
    outside.serve('real.example', (_req, res) => void res.end());
    outside.name('fake.example', ['93.184.215.14']);
    const answer = await fetching()('https://fake.example/');
    expect(answer).toMatchObject({
      outcome: 'failed',
      fault: 'certificate',
      reason: expect.stringMatching(/another host name/),
    });
  });

  test('does not come from a name that does not resolve, or to a closed port', async () => {
    expect(ruleOf(await fetching()('https://nowhere.example/'))).toBe('name');
    outside.name('empty.example', []);
    expect(ruleOf(await fetching()('https://empty.example/'))).toBe('name');
    const plain = await startPlain((_req, res) => void res.end());
    await plain.close();
    outside.name('closed.example', ['127.0.0.1']);
    const closed = await fetching({ allow: ['127.0.0.0/8'] })(`https://closed.example:${plain.port}/`);
    expect(ruleOf(closed)).toBe('connection');
  });
});

describe('E6: an address that is not public', () => {
  const addresses = (port: number) => [
    `https://127.0.0.1:${port}/`,
    `https://127.1:${port}/`,
    `https://2130706433:${port}/`,
    `https://0x7f000001:${port}/`,
    `https://0x7f.1:${port}/`,
    `https://017700000001:${port}/`,
    `https://0177.0.0.1:${port}/`,
    `https://%31%32%37.0.0.1:${port}/`,
    `https://①②⑦.0.0.1:${port}/`,
    `https://0.0.0.0:${port}/`,
    `https://0:${port}/`,
    `https://[::1]:${port}/`,
    `https://[::]:${port}/`,
    `https://[0:0:0:0:0:0:0:1]:${port}/`,
    `https://[::ffff:127.0.0.1]:${port}/`,
    `https://[::ffff:7f00:1]:${port}/`,
    `https://[::127.0.0.1]:${port}/`,
    `https://[64:ff9b::127.0.0.1]:${port}/`,
    `https://[2002:7f00:1::]:${port}/`,
    `https://169.254.169.254/latest/meta-data`,
    `https://10.0.0.1/`,
    `https://[fd00::1]/`,
    `https://[fe80::1]/`,
  ];

  test('is refused in every notation, and nothing is connected to', async () => {
    for (const reviewed of [true, false]) {
      const fetch = fetching({ network: undefined });
      const answers = await Promise.all(addresses(canary.port).map((url) => fetch(url, { reviewed })));
      expect(answers.map(ruleOf)).toEqual(addresses(canary.port).map(() => 'address'));
    }
    expect(canary.seen()).toBe(0);
  });

  test('is refused where a name resolves to it: localhost, names below it, and one of several addresses', async () => {
    const machine = fetching({ network: undefined });
    expect(ruleOf(await machine(`https://localhost:${canary.port}/`))).toBe('address');
    const fetch = fetching();
    const lists = [
      ['127.0.0.1'],
      ['::1'],
      ['::ffff:127.0.0.1'],
      ['93.184.215.14', '127.0.0.1'],
      ['fe80::1%lo'],
      ['rubbish'],
    ];
    for (const [i, addresses] of lists.entries()) {
      outside.name(`inward${i}.example`, addresses);
      expect([addresses, ruleOf(await fetch(`https://inward${i}.example:${canary.port}/`))]).toEqual([
        addresses,
        'address',
      ]);
    }
    expect(canary.seen()).toBe(0);
  });

  test('is refused in other schemes, with credentials, with a trailing dot, with a zone, and if it is no URL', async () => {
    const fetch = fetching({ network: undefined });
    const wanted: Record<string, string> = {
      [`http://127.0.0.1:${canary.port}/`]: 'address',
      [`http://localhost:${canary.port}/`]: 'address',
      'file:///etc/passwd': 'url',
      'ftp://127.0.0.1/': 'scheme',
      'data:text/plain,x': 'url',
      [`gopher://127.0.0.1:${canary.port}/`]: 'scheme',
      [`https://user@127.0.0.1:${canary.port}/`]: 'url',
      [`https://app.example@127.0.0.1:${canary.port}/`]: 'url',
      [`https://localhost.:${canary.port}/`]: 'url',
      [`https://127.0.0.1.:${canary.port}/`]: 'address',
      [`https://[fe80::1%25lo]:${canary.port}/`]: 'url',
      [`https:\\\\127.0.0.1:${canary.port}/`]: 'url',
      [`https://127.0.0.1:${canary.port}\t/`]: 'url',
      'https://x:99999/': 'url',
      'https://[::1': 'url',
      '//127.0.0.1/': 'url',
      '': 'url',
    };
    const found: Record<string, unknown> = {};
    for (const url of Object.keys(wanted)) found[url] = ruleOf(await fetch(url));
    expect(found).toEqual(wanted);
    expect(canary.seen()).toBe(0);
  });

  test('is not reached by a redirect: 301, 302, 303, 307, 308, and 300 and 304', async () => {
    for (const status of [300, 301, 302, 303, 304, 307, 308]) {
      const { url } = outside.serve('moved.example', (_req, res) => {
        res.writeHead(status, { location: `https://127.0.0.1:${canary.port}/` }).end();
      });
      expect([status, ruleOf(await fetching()(url))]).toEqual([status, 'redirect']);
    }
    expect(canary.seen()).toBe(0);
  });

  test('is not reached by a name that resolves anew: it is resolved once, and the connection goes to that address', async () => {
    const { url, requests } = outside.serve('rebound.example', (_req, res) => void res.end('ok'));
    outside.name('rebound.example', ['93.184.215.14'], ['127.0.0.1']);
    expect(ruleOf(await fetching()(url))).toBe(200);
    expect(outside.resolved.get('rebound.example')).toBe(1);
    expect(requests).toHaveLength(1);
    expect(ruleOf(await fetching()(url))).toBe('address');
  });
});

describe('OUTBOUND_ALLOW', () => {
  test('names networks that reviewed clients may use, also over http, and unreviewed ones may not', async () => {
    const plain = await startPlain((_req, res) => void res.end('inside'));
    const address = `http://127.0.0.1:${plain.port}/`;
    const fetch = fetching({ allow: ['127.0.0.0/8', 'fd00::/8'], network: undefined });
    expect(ruleOf(await fetch(address))).toBe(200);
    expect(ruleOf(await fetch(address, { reviewed: false }))).toBe('address');
    expect(ruleOf(await fetch('http://10.0.0.1/'))).toBe('address');
    outside.name('both.example', ['127.0.0.1', '93.184.215.14']);
    const byName = fetching({ allow: ['127.0.0.0/8'] });
    expect(ruleOf(await byName(`http://both.example:${plain.port}/`))).toBe('scheme');
    await plain.close();
  });

  test('is needed for http to a public address too', async () => {
    outside.name('plain.example', ['93.184.215.14']);
    const answer = await fetching()('http://plain.example/');
    expect(answer).toMatchObject({
      outcome: 'refused',
      rule: 'scheme',
      reason: expect.stringMatching(/https.*OUTBOUND_ALLOW/),
    });
  });
});

describe('E6: size and time', () => {
  const megabyte = Buffer.alloc(1024 * 1024, 'x');

  test('a body of 10 MB is refused at the limit, announced or not, and memory stays', async () => {
    let sent = 0;
    const { url } = outside.serve('huge.example', (req, res) => {
      if (req.url === '/announced') res.setHeader('content-length', 10 * megabyte.length);
      const more = () => {
        while (sent < 10 * megabyte.length && !res.destroyed) {
          sent += megabyte.length;
          if (!res.write(megabyte)) return void res.once('drain', more);
        }
        res.end();
      };
      more();
    });
    expect(ruleOf(await fetching()(`${url}/announced`))).toBe('size');
    sent = 0;
    expect(ruleOf(await fetching()(`${url}/chunked`))).toBe('size');
    expect(sent).toBeLessThan(10 * megabyte.length);
  });

  test('exactly the limit is read', async () => {
    const { url } = outside.serve('exact.example', (_req, res) => void res.end(Buffer.alloc(1000)));
    expect(ruleOf(await fetching()(url, { maxBytes: 1000 }))).toBe(200);
    expect(ruleOf(await fetching()(url, { maxBytes: 999 }))).toBe('size');
    expect(ruleOf(await fetching()(url, { maxBytes: 0, ignoreBody: true }))).toBe(200);
  });

  test('a byte now and then, headers that do not come, a handshake that does not end: over in the given time', async () => {
    const { url } = outside.serve('slow.example', (req, res) => {
      if (req.url === '/headers') return;
      const drip = setInterval(() => res.write('x'), 20);
      res.once('close', () => clearInterval(drip));
    });
    const silent = await startSilent();
    const fetch = fetching({ allow: ['127.0.0.0/8'] });
    outside.name('silent.example', ['127.0.0.1']);
    const answers = await Promise.all(
      [
        `${url}/body`,
        `${url}/headers`,
        `http://silent.example:${silent.port}/`,
        `https://silent.example:${silent.port}/`,
      ].map((one) => fetch(one, { timeoutMs: 300 })),
    );
    expect(answers).toEqual(
      answers.map(() =>
        expect.objectContaining({ outcome: 'failed', fault: 'time', reason: 'The host did not answer within 0.3 s.' }),
      ),
    );
    await silent.close();
  });

  test('a name that takes too long is over in time too, and the caller can end a request', async () => {
    const never = { ...outside.network, resolve: () => new Promise<readonly string[]>(() => {}) };
    expect(ruleOf(await fetching({ network: never })('https://app.example/', { timeoutMs: 50 }))).toBe('time');
    const stop = new AbortController();
    const { url } = outside.serve('ended.example', () => stop.abort());
    expect(ruleOf(await fetching()(url, { signal: stop.signal }))).toBe('connection');
  });

  test('without a time of the caller it is three seconds', async () => {
    const timeout = AbortSignal.timeout;
    const asked: number[] = [];
    AbortSignal.timeout = (ms) => {
      asked.push(ms);
      return timeout.call(AbortSignal, ms);
    };
    await fetching()('https://nowhere.example/').finally(() => {
      AbortSignal.timeout = timeout;
    });
    expect(asked).toEqual([3000]);
  });
});

describe('HTTPS_PROXY', () => {
  /** A proxy that opens tunnels to the listener behind `outside`, and notes what it was asked for. */
  async function startProxy(status = 200) {
    const asked: unknown[] = [];
    const sockets: Duplex[] = [];
    const server = createProxyServer((_req, res) => void res.writeHead(405).end());
    server.on('connect', (req, socket) => {
      asked.push([req.url, req.headers.host, req.headers['proxy-authorization']]);
      sockets.push(socket);
      if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      const [address = '', port] = (req.url ?? '').split(':');
      const to = outside.network.connect([address], Number(port));
      sockets.push(to);
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(to).pipe(socket);
      for (const one of [socket, to]) one.on('error', () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const { port } = server.address() as AddressInfo;
    const close = () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    };
    return { asked, url: `http://user:pass%20word@127.0.0.1:${port}`, close };
  }

  test('gets CONNECT with the address that was checked, and its credentials', async () => {
    const proxy = await startProxy();
    const { url } = outside.serve('far.example', (_req, res) => void res.end('far'));
    const answer = await fetching({ proxy: proxy.url })(url);
    expect(answer.outcome === 'answered' && answer.body.toString()).toBe('far');
    const basic = `Basic ${Buffer.from('user:pass word').toString('base64')}`;
    expect(proxy.asked).toEqual([['93.184.215.14:443', '93.184.215.14:443', basic]]);
    proxy.close();
  });

  test('is not asked for an address that is refused, nor for a network of OUTBOUND_ALLOW', async () => {
    const proxy = await startProxy();
    const plain = await startPlain((_req, res) => void res.end('inside'));
    const fetch = fetching({ proxy: proxy.url, allow: ['127.0.0.1'] });
    expect(ruleOf(await fetch('https://10.0.0.1/'))).toBe('address');
    expect(ruleOf(await fetch(`http://127.0.0.1:${plain.port}/`))).toBe(200);
    expect(proxy.asked).toEqual([]);
    await plain.close();
    proxy.close();
  });

  test('that refuses or is away is the fault, and says which setting', async () => {
    const proxy = await startProxy(403);
    const { url } = outside.serve('far.example', (_req, res) => void res.end('far'));
    expect(await fetching({ proxy: proxy.url })(url)).toEqual({
      outcome: 'failed',
      fault: 'proxy',
      reason: 'HTTPS_PROXY does not open the connection: it answered 403.',
    });
    proxy.close();
    const away = await fetching({ proxy: proxy.url })(url);
    expect(away).toEqual({ outcome: 'failed', fault: 'proxy', reason: 'HTTPS_PROXY cannot be reached.' });
  });
});
