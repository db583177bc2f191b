/**
 * R10: every mistake that can be known without a database is in one list, whichever part of the start would find it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Environment } from '../../src/config/load.ts';
import { describeMistakes, type Mistake } from '../../src/config/mistakes.ts';
import { readSettings } from '../../src/config/read-settings.ts';
import { settingsChecks } from '../../src/serve.ts';
import { failedStart } from '../support/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));
const DATA_DIR = join(folder, 'data');

function fileWith(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const routes = fileWith('routes.yaml', '- prefix: nope\n  tokens: [identity]\n- prefix: /x\n  tokens: [unknown]\n');
const providers = fileWith('providers.json', '[{ "id": "x", "name": "X", "type": "oidc", "issuer": "nowhere" }]');
const views = join(folder, 'views');
mkdirSync(views);
writeFileSync(join(views, 'login.ejs'), '<%= what is this %');

async function mistakesOf(environment: Environment): Promise<readonly Mistake[]> {
  const loaded = await readSettings({ DATA_DIR, ...environment }, settingsChecks);
  return loaded.ok ? [] : loaded.mistakes;
}

describe('names of surfaces', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['identiy', 'identity'],
    ['Identity', 'identity'],
    ['oauth-client', 'oauth-clients'],
    ['oauth', 'oauth-clients'],
    ['security_service', 'security-service'],
    ['spaceguard', 'space-guard'],
    ['identity,tinyouath', 'tinyoauth'],
    ['every', undefined],
    ['identity;tinyoauth', undefined],
  ];
  test.each(cases)('R10: SURFACES=%s: known are …, did you mean %s', async (SURFACES, meant) => {
    const found = await mistakesOf({ SURFACES });
    expect(found.map(({ name, given }) => [name, given])).toEqual([['SURFACES', SURFACES]]);
    const [{ wanted = '', example = '' } = {}] = found;
    expect(wanted).toContain('Known surfaces: oauth-clients, tinyoauth, identity, security-service, space-guard.');
    if (meant === undefined) expect(wanted).not.toContain('mean');
    else expect(wanted).toContain(`Did you mean \`${meant}\`?`);
    // What is shown as an example is taken.
    expect(await mistakesOf({ SURFACES: example })).toEqual([]);
  });

  test.each(['all', 'none', 'identity', ' identity , tinyoauth,', ''])('SURFACES=%j is taken', async (SURFACES) => {
    expect(await mistakesOf({ SURFACES })).toEqual([]);
  });
});

describe('files that settings name', () => {
  test('R10: what is wrong in each is below its setting, all of it', async () => {
    const found = await mistakesOf({ GATEWAY_ROUTES: routes, UPSTREAMS: providers, VIEWS_DIR: views });
    expect(found.map(({ name }) => name)).toEqual(['GATEWAY_ROUTES', 'UPSTREAMS', 'VIEWS_DIR']);
    const [gateway, upstreams, pages] = found.map(({ details = '' }) => details);
    expect(gateway).toMatch(/route 1, prefix[\s\S]*route 2, tokens/);
    expect(upstreams).toMatch(/provider 1, issuer[\s\S]*provider 1, client_id/);
    expect(pages).toContain('login.ejs is not a template');
  });

  test('they are looked at although other settings are broken', async () => {
    const found = await mistakesOf({ PORT: 'x', GATEWAY_ROUTES: routes, SURFACES: 'identiy' });
    expect(found.map(({ name }) => name)).toEqual(['PORT', 'SURFACES', 'GATEWAY_ROUTES']);
  });

  test('good ones are taken', async () => {
    const good = fileWith('good.yaml', '- prefix: /reports\n  upstream: http://127.0.0.1:1\n  tokens: [identity]\n');
    expect(await mistakesOf({ GATEWAY_ROUTES: good, VIEWS_DIR: folder })).toEqual([]);
  });
});

describe('the program', () => {
  test('R10: a production start without what it needs prints all of it at once and ends', async () => {
    const environment = {
      NODE_ENV: 'production',
      ISSUER: 'http://id.example.com',
      DATABASE_URL: 'postgres://gatehouse:hunter2@db.example.com/gatehouse',
      METRICS_PORT: '9464',
      METRICS_HOST: '0.0.0.0',
      SURFACES: 'identiy',
      SESION_TTL: '1h',
      GATEWAY_ROUTES: routes,
    };
    const { code, out, err } = await failedStart(environment);
    expect([code, out]).toEqual([1, '']);
    expect([...err.matchAll(/^ {2}([A-Z_]+)$/gm)].map((match) => match[1])).toEqual([
      'ISSUER',
      'SECRET_KEY',
      'METRICS_TOKEN',
      'SURFACES',
      'GATEWAY_ROUTES',
    ]);
    expect(err).toContain('5 settings need a change:');
    expect(err).toContain('SESION_TTL is not a setting. Did you mean SESSION_TTL?');
    expect(err).not.toContain('hunter2');
    expect(err).not.toMatch(/^\s+at /m);
  });

  test('a text for each mistake is indented as a whole', () => {
    const text = describeMistakes([
      { name: 'GATEWAY_ROUTES', given: 'a', wanted: 'b', example: 'c', details: 'one\n\n  two' },
    ]);
    expect(text).toContain('    example  GATEWAY_ROUTES=c\n\n      one\n\n        two\n');
  });
});
