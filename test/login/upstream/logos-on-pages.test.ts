/** The marks of providers on the sign-in page: built-in ones, pictures of the deployment, and monograms. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { buildClient, startServer, type TestServer } from '../../support/server.ts';
import { providersFile } from './world.ts';

const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><script>alert(1)</script></svg>';
const oidc = { type: 'oidc', client_id: 'x' };

describe('the marks of providers', () => {
  let server: TestServer;
  let page: string;
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-logos-'));
  beforeAll(async () => {
    const logo = join(folder, 'own.svg');
    writeFileSync(logo, drawing);
    const { file, remove } = providersFile([
      { ...oidc, id: 'google', name: 'Google', issuer: 'https://accounts.google.com' },
      { ...oidc, id: 'own', name: 'Own', issuer: 'https://own.example', logo },
      { ...oidc, id: 'staff', name: 'Staff', issuer: 'https://staff.example', logo: 'keycloak' },
      { ...oidc, id: 'other', name: '<Other>', issuer: 'https://other.example/realms/x', logo: 'none' },
    ]);
    server = await startServer({ env: { UPSTREAMS: file } });
    remove();
    rmSync(folder, { recursive: true });
    const client = await buildClient(server);
    page = (await new Agent(server).go(`/oauth/authorize?response_type=code&client_id=${client.id}&scope=openid`)).text;
  });
  afterAll(() => server.close());

  const linkTo = (id: string): string =>
    new RegExp(`<a [^>]*href="[^"]*/upstream/${id}"[^>]*>(.*?)</a>`, 's').exec(page)?.[1] ?? '';

  test('a mark by the address, by its name, a picture, and the first letter of the name', () => {
    expect(linkTo('google')).toMatch(/<use href="\/public\/providers\.svg\?v=[\w-]+#google"\/>/);
    expect(linkTo('staff')).toMatch(/<use href="\/public\/providers\.svg\?v=[\w-]+#keycloak"\/>/);
    expect(linkTo('own')).toMatch(/<img class="mark" src="\/brand\/provider-own\.svg\?v=[\w-]+" alt=""/);
    expect(linkTo('other')).toMatch(/<span class="avatar app mark hue-\d" aria-hidden="true">O<\/span>/);
    expect(linkTo('other')).toContain('<bdi>&lt;Other&gt;</bdi>');
  });

  test('the picture was read at the start, is kept by browsers, and a script in it does not run', async () => {
    const [, address = ''] = /src="(\/brand\/provider-own[^"]+)"/.exec(page) ?? [];
    const answer = await fetch(server.url + address);
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'image/svg+xml',
      drawing,
    ]);
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    );
    expect((await fetch(`${server.url}/brand/provider-google.svg`)).status).toBe(404);
  });
});
