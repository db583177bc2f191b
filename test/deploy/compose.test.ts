/** S6: deploy/compose.yaml as it ships. `npm run topology` runs it; here is what can be told from the file alone. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import {
  composeFile,
  environmentOf,
  mountedFile,
  nodesOf,
  readCompose,
  readEnvFile,
  secretFiles,
  serviceOf,
} from './compose.ts';
import { build } from './dockerfile/build.ts';
import { parseDockerfile } from './dockerfile/parse.ts';
import { mapNginx } from './nginx-conf.ts';

const deploy = dirname(composeFile);
const envFile = readEnvFile(join(deploy, '.env.example'));
const compose = readCompose(composeFile, envFile);
const names = Object.keys(compose.services);
const nodes = nodesOf(compose);

describe('S6: who can reach what', () => {
  test('a proxy, two nodes of one image, and the two stores', () => {
    expect(names).toEqual(['proxy', 'gatehouse-1', 'gatehouse-2', 'postgres', 'redis']);
    expect(nodes).toEqual(['gatehouse-1', 'gatehouse-2']);
    expect(compose.services['gatehouse-1']).toEqual(compose.services['gatehouse-2']);
  });

  test('only the proxy publishes a port, and on IPv4, where Docker keeps the caller’s address', () => {
    expect(names.filter((name) => serviceOf(compose, name).ports.length > 0)).toEqual(['proxy']);
    expect(serviceOf(compose, 'proxy').ports).toEqual(['0.0.0.0:443:8443', '0.0.0.0:80:8080']);
  });

  test('the stores are on a network without a way in or out, the proxy is not on it', () => {
    const networks = Object.fromEntries(names.map((name) => [name, serviceOf(compose, name).networks]));
    expect(networks).toEqual({
      proxy: ['front'],
      'gatehouse-1': ['front', 'back'],
      'gatehouse-2': ['front', 'back'],
      postgres: ['back'],
      redis: ['back'],
    });
    expect(compose.networks.back).toEqual({ internal: true });
  });

  test('the nodes believe one proxy, and that one replaces what a caller says of its address', () => {
    for (const name of nodes) expect(environmentOf(compose, name, envFile).TRUST_PROXY).toBe('1');
    const nginx = readFileSync(mountedFile(compose, 'proxy', '/etc/nginx/nginx.conf'), 'utf8');
    expect(nginx.match(/(?<=proxy_set_header )X-Forwarded-For .*/g)).toEqual(['X-Forwarded-For $remote_addr;']);
  });
});

describe('what each service may do', () => {
  test.each(names)('%s: restarts, writes only where it must, gains no privilege, has limits', (name) => {
    const service = serviceOf(compose, name);
    expect(service).toMatchObject({
      restart: 'unless-stopped',
      read_only: true,
      security_opt: ['no-new-privileges:true'],
      cap_drop: ['ALL'],
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      pids_limit: expect.any(Number),
    });
    // Postgres alone begins as root, to give its folder to its own user.
    if (name !== 'postgres') expect(service.cap_add).toEqual([]);
    if (service.image !== undefined) expect(service.image).toMatch(/^(nginx:1\.\d+|postgres:\d+|redis:\d+)$/);
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      expect(condition).toBe('service_healthy');
      // A node's own health check comes with its image.
      expect(nodes.includes(other) || serviceOf(compose, other).healthcheck !== undefined).toBe(true);
    }
  });

  test('what is named is there: networks, volumes, secrets, mounted files', () => {
    for (const name of names) {
      const { networks, volumes, secrets } = serviceOf(compose, name);
      for (const network of networks) expect(compose.networks).toHaveProperty(network);
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret);
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('.')) expect(existsSync(join(deploy, from))).toBe(true);
        else expect(compose.volumes).toHaveProperty(from);
      }
    }
    expect(existsSync(join(deploy, serviceOf(compose, 'gatehouse-1').build ?? '', 'Dockerfile'))).toBe(true);
  });

  test('no secret stands in a variable', () => {
    const variables = names.flatMap((name) => Object.keys(serviceOf(compose, name).environment));
    expect(variables.filter((name) => /(KEY|PASSWORD|DATABASE_URL)$/.test(name))).toEqual([]);
  });
});

describe('with the secrets that make-secrets.sh makes', () => {
  let folder: string;
  const made = () =>
    execFileSync(join(deploy, 'make-secrets.sh'), [folder], {
      env: { PATH: process.env.PATH, ISSUER: 'https://id.example.com:8443' },
    });
  const contents = () =>
    Object.values(compose.secrets).map(({ file }) =>
      readFileSync(join(folder, file.replace('./secrets/', '')), 'utf8'),
    );
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
    made();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('the folder is its owner’s alone, and nothing that is there is made again', () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const before = contents();
    made();
    expect(contents()).toEqual(before);
    expect(new Set(before).size).toBe(before.length);
  });

  test('each node’s settings are right and none is misspelled, with what the image brings', async () => {
    const image = await build(parseDockerfile(readFileSync(join(deploy, '../Dockerfile'), 'utf8')));
    for (const name of nodes) {
      const files = secretFiles(compose, name);
      const here = Object.entries({ ...image.env, ...environmentOf(compose, name, envFile) }).map(
        ([variable, value]) => [variable, files.get(value)?.replace('./secrets', folder) ?? value],
      );
      const loaded = loadConfig(Object.fromEntries(here));
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
      expect(loaded.warnings).toEqual([]);
      expect(loaded.config).toMatchObject({
        production: true,
        issuer: 'https://id.example.com',
        host: '0.0.0.0',
        migrate: true,
        signUp: 'invite',
        trustProxy: { kind: 'hops', hops: 1 },
        database: {
          kind: 'postgres',
          url: expect.stringMatching(/^postgres:\/\/gatehouse:[0-9a-f]{48}@postgres:5432\/gatehouse$/),
        },
        redis: { url: 'redis://redis:6379' },
      });
    }
    const postgres = environmentOf(compose, 'postgres', {});
    expect(postgres).toEqual({
      POSTGRES_USER: 'gatehouse',
      POSTGRES_DB: 'gatehouse',
      POSTGRES_PASSWORD_FILE: '/run/secrets/postgres_password',
    });
  });
});

test('without an ISSUER it says what is missing', () => {
  expect(() => readCompose(composeFile, { ...envFile, ISSUER: '' })).toThrow('ISSUER: the address people will use');
});

test('every variable of .env.example is explained', () => {
  const lines = readFileSync(join(deploy, '.env.example'), 'utf8').split('\n');
  const unexplained = lines.filter((line, at) => {
    if (!/^[A-Z]/.test(line)) return false;
    const above = lines.slice(0, at).findLast((other) => other.startsWith('#') || other === '');
    return above === undefined || above === '';
  });
  expect(unexplained).toEqual([]);
});

test('the nginx configuration is mapped whole, or not at all', () => {
  const source = 'listen 8080;\nserver a:1 resolve max_fails=1;\npid /tmp/x; # /tmp/y\n';
  const places = {
    ports: new Map([[8080, 9]]),
    nodes: new Map([['a:1', '127.0.0.1:7']]),
    paths: new Map([['/tmp', '/s']]),
  };
  expect(mapNginx(source, places)).toBe('listen 127.0.0.1:9;\nserver 127.0.0.1:7 max_fails=1;\npid /s/x; # /tmp/y\n');
  expect(() => mapNginx(source.replace('8080', '81'), places)).toThrow('the port 81');
  expect(() => mapNginx(source.replace('a:1', 'b:1'), places)).toThrow('the node b:1');
  expect(() => mapNginx(`${source}include /etc/x;`, places)).toThrow('the path /etc/x');
  expect(() => mapNginx('', places)).toThrow('does not name 8080,a:1');
});
