/** The file that UPSTREAMS names: every mistake at once, and no secret in what is said of it. */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { checkProviders } from '../../../src/login/upstream/provider-shape.ts';
import { readProviders } from '../../../src/login/upstream/read-providers.ts';
import { startServer } from '../../support/server.ts';
import { providersFile } from './world.ts';

const company = { id: 'company', name: 'Example', type: 'oidc', issuer: 'https://login.example.com', client_id: 'x' };
const github = {
  id: 'github',
  name: 'GitHub',
  type: 'oauth2',
  authorization_endpoint: 'https://github.com/login/oauth/authorize',
  token_endpoint: 'https://github.com/login/oauth/access_token',
  userinfo_endpoint: 'https://api.github.com/user',
  client_id: 'x',
  client_secret: 'a secret of theirs',
  scopes: ['read:user'],
};
const options = { development: false, environment: { SET: 'from the environment', EMPTY: '' } };

describe('the providers file', () => {
  const made: (() => void)[] = [];
  const file = (content: unknown): string => {
    const { file: name, remove } = providersFile(content);
    made.push(remove);
    return name;
  };
  afterEach(() => {
    for (const remove of made.splice(0)) remove();
  });

  const mistakenMembers = (providers: unknown, more: Partial<typeof options> = {}) =>
    checkProviders(providers, { ...options, ...more }).mistakes.map(({ provider, member }) => `${provider} ${member}`);

  test('two good providers, with what follows from their kind', () => {
    const { providers, mistakes } = checkProviders([company, github], options);
    expect(mistakes).toEqual([]);
    expect(providers).toMatchObject([
      {
        ...{ type: 'oidc', clientAuthentication: 'none', scopes: ['openid', 'profile', 'email'], signUp: true },
        ...{ trustEmail: false, trustMfa: false, freshSignIn: 'told' },
        claims: { subject: 'sub', username: 'preferred_username' },
      },
      {
        ...{ type: 'oauth2', clientAuthentication: 'post', clientSecret: 'a secret of theirs', freshSignIn: 'assumed' },
        claims: { subject: 'id', username: 'login', name: 'name' },
      },
    ]);
  });

  test.each([
    ['no list', { company }, ['undefined the file']],
    ['not an object', ['company'], ['1 the provider']],
    ['members there are not', [{ ...company, isuer: 'x' }], ['1 isuer']],
    ['an id that is no part of an address', [{ ...company, id: '../x' }], ['1 id']],
    ['an id twice', [company, { ...github, id: 'company' }], ['2 id']],
    ['no issuer', [{ ...company, issuer: undefined }], ['1 issuer']],
    ['http', [{ ...company, issuer: 'http://login.example.com' }], ['1 issuer']],
    ['a query', [{ ...company, issuer: 'https://login.example.com/?x' }], ['1 issuer']],
    ['a user name', [{ ...company, issuer: 'https://a@login.example.com' }], ['1 issuer']],
    ['another scheme', [{ ...github, token_endpoint: 'file:///etc/passwd' }], ['1 token_endpoint']],
    ['no endpoint', [{ ...github, userinfo_endpoint: undefined }], ['1 userinfo_endpoint']],
    ['endpoints of discovery', [{ ...company, token_endpoint: 'https://x.example/' }], ['1 token_endpoint']],
    ['a subject that may change', [{ ...company, claims: { subject: 'email' } }], ['1 claims']],
    ['a claim there is not', [{ ...company, claims: { phone: 'x' } }], ['1 claims']],
    ['no openid', [{ ...company, scopes: ['profile'] }], ['1 scopes']],
    ['a word for what is never said', [{ ...github, trust_email: true }], ['1 trust_email']],
    ['second factors that it does not speak of', [{ ...github, trust_mfa: true }], ['1 trust_mfa']],
    ['a time that oauth2 has no word for', [{ ...github, fresh_sign_in: 'told' }], ['1 fresh_sign_in']],
    ['a template without tenants', [{ ...company, issuer_template: `${company.issuer}/{tenantid}` }], ['1 tenants']],
    ['tenants without a template', [{ ...company, tenants: 'any' }], ['1 issuer_template']],
    [
      'a template without a place, on another host, or with two',
      ['', 'https://other.example/{tenantid}', `${company.issuer}/{tenantid}/{tenantid}`].map((issuer_template, n) => ({
        ...{ ...company, id: `t${n}`, tenants: ['a'], issuer_template },
      })),
      ['1 issuer_template', '2 issuer_template', '3 issuer_template'],
    ],
    [
      'the word of whatever tenant',
      [{ ...company, issuer_template: `${company.issuer}/{tenantid}`, tenants: 'any', trust_email: true }],
      ['1 trust_email'],
    ],
    [
      'tenants that are none',
      [
        { ...company, tenants: ['../x'] },
        { ...github, tenants: 'any' },
      ],
      ['1 tenants', '2 tenants'],
    ],
    [
      'a list of addresses beside an ID token',
      [{ ...company, emails_endpoint: 'https://x.example/' }],
      ['1 emails_endpoint'],
    ],
    ['a logo that is no picture', [{ ...company, logo: '/etc/passwd' }], ['1 logo']],
    ['a mark there is not', [{ ...company, logo: 'megacorp' }], ['1 logo']],
    ['a logo from elsewhere', [{ ...company, logo: 'https://example.com/logo.svg' }], ['1 logo']],
    ['another response mode', [{ ...company, response_mode: 'fragment' }], ['1 response_mode']],
    ['two secrets', [{ ...github, client_secret_env: 'SET' }], ['1 client_secret']],
    ['a variable that is not set', [{ ...company, client_secret_env: 'UNSET' }], ['1 client_secret_env']],
    ['a variable that is empty', [{ ...company, client_secret_env: 'EMPTY' }], ['1 client_secret_env']],
    ['a file that is not there', [{ ...company, client_secret_file: '/no/such' }], ['1 client_secret_file']],
    ['a way without its secret', [{ ...company, client_authentication: 'post' }], ['1 client_authentication']],
    ['a secret without its way', [{ ...github, client_authentication: 'none' }], ['1 client_authentication']],
    [
      'everything at once',
      [{ ...company, name: '', sign_up: 'yes', scopes: ['a b'] }, { id: 'x' }],
      ['1 name', '1 sign_up', '1 scopes', '2 name', '2 type', '2 client_id'],
    ],
  ])('%s', (_name, providers, members) => {
    expect(mistakenMembers(providers).sort()).toEqual(expect.arrayContaining([...members].sort()));
    expect(mistakenMembers(providers)).not.toEqual([]);
  });

  test('a logo: the mark that the addresses show, a mark by its name, a picture, or none', () => {
    const folder = dirname(file('x'));
    const picture = join(folder, 'own.svg');
    writeFileSync(picture, '<svg xmlns="http://www.w3.org/2000/svg"/>');
    const large = join(folder, 'large.svg');
    writeFileSync(large, `<svg>${' '.repeat(100_000)}</svg>`);
    const logos = [undefined, 'gitlab', 'none', picture, large].map((logo, n) => ({ ...github, id: `p${n}`, logo }));
    const { providers, mistakes } = checkProviders(logos, options);
    expect(providers.map(({ logo }) => logo)).toEqual([{ mark: 'github' }, { mark: 'gitlab' }, undefined, { picture }]);
    expect(mistakes).toMatchObject([
      { provider: 5, member: 'logo', wanted: expect.stringContaining('at most 100 KB') },
    ]);
  });

  test('http is good enough on loopback, in development', () => {
    const near = [{ ...company, issuer: 'http://localhost:4000' }];
    expect(mistakenMembers(near)).toEqual(['1 issuer']);
    expect(mistakenMembers(near, { development: true })).toEqual([]);
    expect(mistakenMembers([{ ...company, issuer: 'http://10.0.0.1' }], { development: true })).toEqual(['1 issuer']);
  });

  test('a secret may come from a file or the environment', () => {
    const name = file('the secret\n');
    const secrets = [
      { ...company, client_secret_file: name },
      { ...company, id: 'other', client_secret_env: 'SET' },
    ];
    const { providers, mistakes } = checkProviders(secrets, options);
    expect([mistakes, providers.map(({ clientSecret }) => clientSecret)]).toEqual([
      [],
      ['the secret', 'from the environment'],
    ]);
  });

  test('YAML and JSON are read, and what cannot be is said without its text', async () => {
    const yaml = `- id: company\n  name: Example\n  type: oidc\n  issuer: https://login.example.com\n  client_id: x\n`;
    expect(await readProviders(file(yaml), options)).toMatchObject({ outcome: 'read', providers: [{ id: 'company' }] });
    const broken = await readProviders(file('- client_secret: "topsecret\n  id: x'), options);
    expect(broken).toMatchObject({ outcome: 'mistaken', text: expect.stringContaining('cannot be parsed: line') });
    expect(JSON.stringify(broken)).not.toContain('topsecret');
    for (const odd of ['a: &x [1]\nb: *x', '- !!js/function "x"', '']) {
      expect((await readProviders(file(odd), options)).outcome).toBe('mistaken');
    }
    // The wrong file may be the one with a secret.
    for (const other of ['topsecret', '- topsecret', '- issuer: https://me:top/topsecret@login.example.com']) {
      const { outcome, text } = (await readProviders(file(other), options)) as { outcome: string; text: string };
      expect([outcome, text]).toEqual(['mistaken', expect.not.stringContaining('topsecret')]);
    }
    expect(await readProviders('/no/such/file', options)).toMatchObject({ text: expect.stringContaining('ENOENT') });
  });

  test('a secret is in no mistake', () => {
    const wrong = [
      { ...github, client_secret: ['topsecret'] },
      { ...github, id: 'other', client_secret: 'topsecret'.repeat(1000), client_secret_env: 'SET' },
      [{ client_secret: 'topsecret' }],
    ];
    const { mistakes } = checkProviders(wrong, options);
    expect(mistakes.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(mistakes)).not.toContain('topsecret');
  });

  test('a server does not start with mistakes, and says all of them', async () => {
    const name = file([
      { ...company, issuer: 'nowhere' },
      { ...github, client_id: '' },
    ]);
    await expect(startServer({ env: { UPSTREAMS: name } })).rejects.toThrow(
      /^2 things in .* need a change:\n\n {2}provider 1, issuer\n[\s\S]*provider 2, client_id\n/,
    );
    writeFileSync(join(dirname(name), 'empty.yaml'), '[]');
    const server = await startServer({ env: { UPSTREAMS: join(dirname(name), 'empty.yaml') } });
    await server.close();
  });
});
