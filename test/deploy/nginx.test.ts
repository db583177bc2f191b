/** S6: deploy/nginx.conf in a real nginx, in front of a server that says what reached it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWith } from '../support/describe-with.ts';
import { freePort } from '../support/free-port.ts';
import { mapNginx } from './nginx-conf.ts';
import { type Daemon, startDaemon } from './topology/daemon.ts';

const deploy = join(import.meta.dirname, '../../deploy');
const shipped = readFileSync(join(deploy, 'nginx.conf'), 'utf8');

/** Everything by which a caller could claim another address, scheme, host, path, method or name. */
const claims = [
  ...[
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'X-Forwarded-Port',
    'X-Forwarded-Prefix',
    'X-Forwarded-Ssl',
  ],
  ...[
    'X-Forwarded-Server',
    'X-Forwarded-Scheme',
    'X-Forwarded-Method',
    'X-Forwarded-Uri',
    'Forwarded',
    'X-Real-IP',
    'X-Client-IP',
  ],
  ...[
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Original-URI',
    'X-Original-Method',
    'X-Rewrite-URL',
    'X-HTTP-Method-Override',
  ],
  ...[
    'X-Gatehouse-Subject',
    'X-Gatehouse-Scope',
    'Remote-User',
    'X-Remote-User',
    'X-Forwarded-User',
    'X-Auth-Request-Email',
  ],
  ...['X_Forwarded_For', 'X_Gatehouse_Subject'],
];
const lie = 'evil.example';

describeWith('nginx')('S6: what passes the proxy of compose.yaml', () => {
  let scratch: string;
  let echo: Server;
  let nodes: readonly number[];
  const running: Daemon[] = [];

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'gatehouse-nginx-'));
    chmodSync(scratch, 0o755);
    execFileSync(join(deploy, 'make-secrets.sh'), [scratch], { env: { PATH: process.env.PATH } });
    chmodSync(scratch, 0o755);
    echo = createServer((req, res) => {
      req
        .resume()
        .once('end', () => res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers })));
    });
    nodes = [await freePort(), await freePort()];
    // The other one does not answer: what is asked of it goes to this one.
    await new Promise<void>((resolve) => echo.listen(nodes[0], '127.0.0.1', resolve));
  });
  afterAll(async () => {
    for (const one of running) await one.stop('SIGTERM');
    await new Promise((resolve) => echo.close(resolve));
    rmSync(scratch, { recursive: true, force: true });
  });

  async function start(configuration: string): Promise<number> {
    const [https, http] = [await freePort(), await freePort()];
    const folder = join(scratch, String(https));
    mkdirSync(folder);
    const file = join(folder, 'nginx.conf');
    const mapped = mapNginx(configuration, {
      ports: new Map([
        [8443, https],
        [8080, http],
      ]),
      nodes: new Map(nodes.map((port, at) => [`gatehouse-${at + 1}:3000`, `127.0.0.1:${port}`])),
      paths: new Map([
        ['/run/secrets/tls_certificate', join(scratch, 'tls_certificate.pem')],
        ['/run/secrets/tls_key', join(scratch, 'tls_key.pem')],
        ['/tmp', folder],
        ['/dev/stdout', join(folder, 'access.log')],
        ['/dev/stderr', 'stderr'],
      ]),
    });
    writeFileSync(file, mapped);
    const nginx = process.env.TEST_NGINX || '/usr/sbin/nginx';
    const command = [nginx, '-p', folder, '-c', file, '-g', 'daemon off;'];
    running.push(await startDaemon({ name: 'nginx', command, port: https }));
    return https;
  }

  interface Reached {
    readonly method: string;
    readonly url: string;
    readonly headers: IncomingHttpHeaders;
  }
  function ask(
    port: number,
    headers: Record<string, string>,
    options: { readonly path?: string; readonly method?: string; readonly body?: string } = {},
  ) {
    return new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
      const sent = request(
        {
          ...{ host: '127.0.0.1', port, localAddress: '127.0.0.2', agent: false, rejectUnauthorized: false },
          ...{ path: options.path ?? '/', method: options.method ?? 'GET', headers },
        },
        (answer) => {
          let text = '';
          answer.on('data', (chunk) => {
            text += chunk;
          });
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      sent.on('error', reject);
      sent.end(options.body);
    });
  }
  const reached = async (...question: Parameters<typeof ask>): Promise<Reached> =>
    JSON.parse((await ask(...question)).text);

  test('none of what a caller claims, and in its place what nginx knows', async () => {
    const port = await start(shipped);
    const headers = Object.fromEntries(claims.map((name) => [name, lie]));
    const { headers: got } = await reached(port, {
      ...headers,
      Host: 'id.example.com:8443',
      Authorization: 'Bearer x',
      Cookie: 'a=b',
    });
    expect(JSON.stringify(got)).not.toContain(lie);
    expect(got).toEqual({
      host: 'id.example.com:8443',
      authorization: 'Bearer x',
      cookie: 'a=b',
      'x-forwarded-for': '127.0.0.2',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'id.example.com:8443',
      'x-real-ip': '127.0.0.2',
    });
  });

  test('the path as it is written, the query, the method and the body', async () => {
    const port = await start(shipped);
    const path = '/a%2Fb//c/../d?x=%20&y=1';
    expect(await reached(port, {}, { path })).toMatchObject({ method: 'GET', url: path });
    expect(await reached(port, {}, { method: 'DELETE' })).toMatchObject({ method: 'DELETE' });
    expect((await ask(port, {}, { method: 'POST', body: 'x'.repeat(1_100_000) })).status).toBe(413);
  });

  test('a node that does not answer is passed over, for a form as well', async () => {
    const port = await start(shipped);
    const statuses = await Promise.all(Array.from({ length: 8 }, () => ask(port, {}, { method: 'POST', body: 'a=b' })));
    expect(statuses.map(({ status }) => status)).toEqual(Array(8).fill(200));
  });

  test('behind a load balancer that is named in it, the address that this one says, and no other', async () => {
    const uncommented = (address: string) =>
      shipped.replace('#set_real_ip_from 192.0.2.10;', `set_real_ip_from ${address};`).replaceAll(/#(real_ip_)/g, '$1');
    const said = { 'X-Forwarded-For': `${lie}, 192.0.2.99, 198.51.100.7` };
    const trusted = await reached(await start(uncommented('127.0.0.2')), said);
    expect(trusted.headers['x-forwarded-for']).toBe('198.51.100.7');
    const stranger = await reached(await start(uncommented('127.0.0.9')), said);
    expect(stranger.headers['x-forwarded-for']).toBe('127.0.0.2');
  });
});
