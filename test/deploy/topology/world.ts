/**
 * What deploy/compose.yaml describes, as processes of this machine: nginx, two nodes, Postgres, Redis. Environment,
 * commands, secrets and the nginx configuration come from the shipped files; only names of hosts, ports and paths are
 * mapped.
 */
import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from '../../support/free-port.ts';
import { patiently } from '../../support/redis-server.ts';
import {
  composeFile,
  environmentOf,
  mountedFile,
  nodesOf,
  readCompose,
  readEnvFile,
  secretFiles,
  serviceOf,
  type Variables,
} from '../compose.ts';
import { build } from '../dockerfile/build.ts';
import { parseDockerfile } from '../dockerfile/parse.ts';
import { mapNginx } from '../nginx-conf.ts';
import type { Site } from './browser.ts';
import { type Daemon, startDaemon } from './daemon.ts';

const project = join(import.meta.dirname, '../../..');
const services = join(project, 'scripts/services.sh');
const run = promisify(execFile);

export interface Node {
  readonly name: string;
  readonly port: number;
  readonly daemon: Daemon;
}

export interface World {
  readonly site: Site;
  readonly adminKey: string;
  readonly nodes: readonly [Node, Node];
  readonly proxy: Daemon;
  /** The shipped access log: which node answered what. */
  log(): readonly {
    readonly address: string;
    readonly request: string;
    readonly status: number;
    readonly node: string;
  }[];
  /** The command line, as in a node's container. */
  cli(words: readonly string[], input?: string): string;
  startNode(name: string): Promise<Node>;
}

/**
 * `overrides`: what an operator writes into `.env`. `after` is given what ends each thing as soon as it has begun, to
 * be called in the opposite order, whatever happens.
 */
export async function startWorld(overrides: Variables, after: (undo: () => unknown) => void): Promise<World> {
  const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-topology-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));
  // Postgres and nginx's workers run as other users and go through it.
  chmodSync(scratch, 0o711);
  const deploy = dirname(composeFile);
  const envFile = { ...readEnvFile(join(deploy, '.env.example')), ...overrides };
  const compose = readCompose(composeFile, envFile);
  const image = await build(parseDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8')));
  const issuer = envFile.ISSUER ?? '';

  // The secrets, made by the script that ships, where compose.yaml looks for them.
  const secrets = join(scratch, 'secrets');
  execFileSync(join(deploy, 'make-secrets.sh'), [secrets], { env: { PATH: process.env.PATH, ISSUER: issuer } });
  const placeOf = (file: string): string => {
    if (dirname(file) !== './secrets') throw new Error(`compose.yaml looks for a secret at ${file}`);
    return join(secrets, basename(file));
  };
  const secret = (service: string, path: string): string => {
    const file = secretFiles(compose, service).get(path);
    if (file === undefined) throw new Error(`compose.yaml gives ${service} no ${path}`);
    return readFileSync(placeOf(file), 'utf8').trim();
  };

  // Postgres, with the user, the password and the database that compose.yaml names.
  const servicesEnv = { ...process.env, SERVICES_DIR: join(scratch, 'services') };
  after(() => run(services, ['stop'], { env: servicesEnv }));
  const started = await run(services, ['start', 'postgres'], { env: servicesEnv });
  const postgres = new URL(/TEST_DATABASE_URL=(\S+)/.exec(started.stdout)?.[1] ?? 'none://');
  const wanted = serviceOf(compose, 'postgres').environment;
  await prepare(
    postgres,
    wanted.POSTGRES_USER,
    secret('postgres', wanted.POSTGRES_PASSWORD_FILE ?? ''),
    wanted.POSTGRES_DB,
  );

  const redisPort = await freePort();
  const [redisServer = '', ...redisWords] = serviceOf(compose, 'redis').command ?? [];
  mkdirSync(join(scratch, 'redis'));
  const redis = await startDaemon({
    name: 'redis',
    command: [
      redisServer,
      ...redisWords,
      '--port',
      String(redisPort),
      '--bind',
      '127.0.0.1',
      '--dir',
      join(scratch, 'redis'),
    ],
    port: redisPort,
  });
  after(() => redis.stop('SIGTERM'));

  const hosts = new Map([
    ['postgres:5432', postgres.host],
    ['redis:6379', patiently(`127.0.0.1:${redisPort}`)],
  ]);
  const names = nodesOf(compose);
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort());
  const mapHosts = (text: string): string =>
    text.replace(/(?<=[@/])[a-z][\w-]*:\d+/g, (host) => hosts.get(host) ?? host);

  function environmentFor(name: string): Record<string, string> {
    const env: Record<string, string> = { ...image.env, ...environmentOf(compose, name, envFile) };
    const folder = join(scratch, name);
    mkdirSync(folder, { recursive: true });
    for (const [variable, value] of Object.entries(env)) {
      const file = secretFiles(compose, name).get(value);
      if (file !== undefined) {
        // A copy of its own, since an address in it names hosts that are elsewhere here.
        const place = join(folder, basename(value));
        writeFileSync(place, mapHosts(readFileSync(placeOf(file), 'utf8')), { mode: 0o600 });
        env[variable] = place;
      } else if (value.startsWith('/run/secrets/')) throw new Error(`compose.yaml gives ${name} no ${value}`);
      else env[variable] = mapHosts(value);
    }
    return {
      ...env,
      PATH: process.env.PATH ?? '',
      HOST: env.HOST === '0.0.0.0' ? '127.0.0.1' : (env.HOST ?? ''),
      PORT: String(ports.get(name)),
      DATA_DIR: join(folder, 'data'),
    };
  }

  async function startNode(name: string): Promise<Node> {
    const port = ports.get(name) ?? 0;
    const [program, ...words] = image.command;
    if (program !== 'node') throw new Error(`the image's CMD begins with ${program}`);
    const daemon = await startDaemon({
      name,
      command: [process.execPath, ...words],
      env: environmentFor(name),
      cwd: project,
      port,
      ready: `http://127.0.0.1:${port}/readyz`,
    });
    after(() => daemon.stop('SIGTERM'));
    return { name, port, daemon };
  }
  // At once, over an empty database.
  const nodes = await Promise.all(names.map(startNode));
  const [first, second] = nodes;
  if (first === undefined || second === undefined || nodes.length > 2)
    throw new Error(`compose.yaml has ${names.length} nodes, not two`);

  const published = new Map<number, number>();
  for (const port of serviceOf(compose, 'proxy').ports) published.set(Number(port.split(':')[2]), await freePort());
  const folder = join(scratch, 'nginx');
  mkdirSync(folder, { mode: 0o755 });
  const log = join(folder, 'access.log');
  const paths = new Map([
    ...[...secretFiles(compose, 'proxy')].map(([path, file]) => [path, placeOf(file)] as const),
    ['/tmp', folder] as const,
    ['/dev/stdout', log] as const,
    ['/dev/stderr', 'stderr'] as const,
  ]);
  const containerPort = image.env.PORT ?? '';
  const configuration = mapNginx(readFileSync(mountedFile(compose, 'proxy', '/etc/nginx/nginx.conf'), 'utf8'), {
    ports: published,
    nodes: new Map(nodes.map(({ name, port }) => [`${name}:${containerPort}`, `127.0.0.1:${port}`])),
    paths,
  });
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration);
  const [https, http] = ['8443', '8080'].map((port) => published.get(Number(port)));
  if (https === undefined || http === undefined) throw new Error(`the proxy publishes ${[...published.keys()]}`);
  const proxy = await startDaemon({
    name: 'nginx',
    command: [nginxPath(), '-p', folder, '-c', file, '-g', 'daemon off;'],
    port: https,
  });
  after(() => proxy.stop('SIGTERM'));

  const ca = join(secrets, 'tls_certificate.pem');
  return {
    site: { issuer, port: https, httpPort: http, ca: readFileSync(ca, 'utf8') },
    adminKey: secret(first.name, '/run/secrets/admin_key'),
    nodes: [first, second],
    proxy,
    log: () => (existsSync(log) ? readFileSync(log, 'utf8') : '').split('\n').flatMap((line) => entryOf(line, nodes)),
    cli: (words, input) =>
      execFileSync(process.execPath, ['src/cli/main.ts', ...words], {
        cwd: project,
        env: environmentFor(first.name),
        input: input ?? '',
        encoding: 'utf8',
      }),
    startNode,
  };
}

function entryOf(line: string, nodes: readonly Node[]) {
  const [, address = '', request = '', status = '', upstream = ''] =
    /^(\S+) \[[^\]]*\] "([^"]*)" (\d+) (.+?) \S+ [\d.]+$/.exec(line) ?? [];
  const node = nodes.findLast(({ port }) => upstream.includes(`127.0.0.1:${port}`))?.name ?? '';
  return line === '' ? [] : [{ address, request, status: Number(status), node }];
}

function nginxPath(): string {
  const found = [process.env.TEST_NGINX, '/usr/sbin/nginx'].find((path) => path && existsSync(path));
  if (found === undefined) throw new Error('there is no nginx here: install nginx-light, or name one in TEST_NGINX');
  return found;
}

/** What the Postgres image does at its first start. */
async function prepare(address: URL, user = '', password = '', database = ''): Promise<void> {
  if (address.username !== user) throw new Error(`compose.yaml makes the Postgres user ${user}`);
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  await client.query(`create database ${client.escapeIdentifier(database)}`);
  await client.query(`alter role ${client.escapeIdentifier(user)} password ${client.escapeLiteral(password)}`);
  await client.end();
}
