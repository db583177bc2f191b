/** What may be registered (security.md A1, A16, E3, hostile input 7 and 9). */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/base/json.ts';
import { parseMetadata } from '../../src/core/client-metadata.ts';
import type { MetadataContext } from '../../src/core/client-policy.ts';
import { redirectUriKind } from '../../src/core/client-uris.ts';

const cli: MetadataContext = { by: 'cli' };
const ok = { redirect_uris: ['https://app.example.com/cb'] };

function metadata(input: unknown, context: MetadataContext = cli): JsonObject {
  const parsed = parseMetadata(input, context);
  if (parsed.outcome === 'invalid') throw new Error(parsed.description);
  return parsed.metadata;
}

function mistake(input: unknown, context: MetadataContext = cli): string {
  const parsed = parseMetadata(input, context);
  if (parsed.outcome === 'valid') throw new Error('was accepted');
  // RFC 6749, section 5.2: the only characters an error_description may have.
  expect(parsed.description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  return `${parsed.error}: ${parsed.description}`;
}

describe('redirect URIs', () => {
  test.each([
    ['https://app.example.com/cb', 'https'],
    ['https://app.example.com', 'https'],
    ['https://app.example.com?a=b', 'https'],
    ['https://App.Example.com:443/cb?x=1&y=%20', 'https'],
    ['https://192.0.2.1:8443/cb', 'https'],
    ['https://localhost:8080/test', 'https-loopback'],
    ['http://localhost:3000/cb', 'http-loopback'],
    ['http://127.0.0.1/cb', 'http-loopback'],
    ['http://[::1]:9/cb', 'http-loopback'],
    ['com.example.app:/cb', 'private-use'],
    ['com.example.app://cb', 'private-use'],
  ])('%s is %s and is kept as it was sent', (uri, kind) => {
    expect(redirectUriKind(uri)).toBe(kind);
    const stored = metadata({ redirect_uris: [uri], post_logout_redirect_uris: [uri] });
    expect(stored.redirect_uris).toEqual([uri]);
    expect(stored.post_logout_redirect_uris).toEqual([uri]);
  });

  const refused = [
    '',
    ' ',
    '/cb',
    '//app.example.com/cb',
    'app.example.com/cb',
    'https:',
    'https://',
    'https:app.example.com',
    'https:/app.example.com',
    'https:///app.example.com',
    'https:\\\\app.example.com',
    'https://app.example.com\\cb',
    'https://[::1',
    'https://x:99999',
    'https://x:-1',
    'https://%00',
    'https://ex%61mple.com/',
    'https://app.example.com./cb',
    'https://app.example.com/cb#',
    'https://app.example.com/cb#x',
    'https://*.example.com/cb',
    'https://app.example.com/*',
    'https://app.example.com/cb?a=*',
    'https://user@app.example.com/cb',
    'https://user:pass@app.example.com/cb',
    'https://a@b@app.example.com/cb',
    'https://@app.example.com/',
    'https://app.example.com/a/../cb',
    'https://app.example.com/%2e%2e/cb',
    'https://app.example.com/./cb',
    'https://app.example.com/cb%0d%0aLocation:x',
    'https://app.example.com/%00',
    'https://app.example.com/%zz',
    'https://app.example.com/%',
    'https://app.example.com/c b',
    'https://app.example.com/c\tb',
    ' https://app.example.com/cb',
    '\thttps://app.example.com/cb',
    'https://app.example.com/cb\n',
    'ht\ntps://app.example.com/cb',
    'https://app.example.com/cb\0',
    'https://app.exаmple.com/cb',
    'https://app.example.com/ü',
    'https://app.example.com/\ud800',
    'http://app.example.com/cb',
    'http://localhost.evil.tld/cb',
    'http://localhost./cb',
    'http://127.1/cb',
    'http://2130706433/cb',
    'http://0x7f.1/cb',
    'http://0.0.0.0/cb',
    'http://127.0.0.2/cb',
    'http://[::ffff:127.0.0.1]/cb',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'DATA:text/html,x',
    'vbscript:x',
    'blob:https://app.example.com/x',
    'file:///etc/passwd',
    'about:blank',
    'myapp:',
    'myapp:/cb',
    'urn:ietf:wg:oauth:2.0:oob',
    'com.example.app:',
    'com.example.app:cb',
    'com.example.app://user@cb',
    'com.example.app:/a/../b',
    'COM.example.app:/cb',
    'ftp://app.example.com/cb',
    'wss://app.example.com/cb',
    `https://app.example.com/${'a'.repeat(2048)}`,
  ];
  test.each(refused)('%j is refused', (uri) => {
    expect(mistake({ redirect_uris: [uri] })).toMatch(/^invalid_redirect_uri: redirect_uris /);
    expect(mistake({ ...ok, post_logout_redirect_uris: [uri] })).toMatch(
      /^invalid_client_metadata: post_logout_redirect_uris /,
    );
  });

  test('a private-use scheme makes the client native and cannot be mixed with https on loopback', () => {
    expect(
      metadata({ redirect_uris: ['com.example.app:/cb', 'https://app.example.com/cb', 'http://127.0.0.1/cb'] }),
    ).toMatchObject({
      application_type: 'native',
      require_pkce: true,
    });
    expect(mistake({ redirect_uris: ['com.example.app:/cb', 'https://localhost/cb'] })).toMatch(
      /^invalid_redirect_uri/,
    );
    expect(
      mistake({ redirect_uris: ['com.example.app:/cb'], post_logout_redirect_uris: ['https://localhost/cb'] }),
    ).toMatch(/native/);
    expect(mistake({ redirect_uris: ['com.example.app:/cb'], application_type: 'web' })).toMatch(/native/);
  });

  test('there must be one for the code grant, and no more than a hundred', () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => `https://app.example.com/${i}`);
    expect(mistake({})).toMatch(/^invalid_redirect_uri/);
    expect(mistake({ redirect_uris: [] })).toMatch(/^invalid_redirect_uri/);
    expect(metadata({ redirect_uris: many(100) }).redirect_uris).toHaveLength(100);
    expect(mistake({ redirect_uris: many(101) })).toMatch(/^invalid_redirect_uri/);
    expect(metadata({ redirect_uris: [...many(2), ...many(2)] }).redirect_uris).toEqual(many(2));
  });
});

describe('other URIs', () => {
  const uriMembers = [
    'client_uri',
    'policy_uri',
    'tos_uri',
    'logo_uri',
    'jwks_uri',
    'backchannel_logout_uri',
    'initiate_login_uri',
    'sector_identifier_uri',
  ];
  test.each(uriMembers)('%s', (member) => {
    expect(metadata({ ...ok, [member]: 'https://app.example.com/x' })[member]).toBe('https://app.example.com/x');
    for (const uri of [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      '\tjavascript:alert(1)',
      'java\nscript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'blob:https://a/b',
      'file:///etc/passwd',
      'com.example.app:/x',
      '/x',
      'https://user:pass@app.example.com/',
      'https:app.example.com',
      '',
      7,
      {},
      [],
    ]) {
      expect(mistake({ ...ok, [member]: uri })).toContain(member);
    }
  });

  test('http only where the reader cannot be harmed by it', () => {
    expect(metadata({ ...ok, client_uri: 'http://app.example.com/#about' }).client_uri).toBe(
      'http://app.example.com/#about',
    );
    expect(metadata({ ...ok, logo_uri: 'http://localhost:3000/logo.png' }).logo_uri).toBe(
      'http://localhost:3000/logo.png',
    );
    for (const member of ['logo_uri', 'jwks_uri', 'initiate_login_uri', 'sector_identifier_uri']) {
      expect(mistake({ ...ok, [member]: 'http://app.example.com/x' })).toContain(member);
    }
  });
});

describe('members', () => {
  test('defaults are written out', () => {
    expect(metadata(ok)).toEqual({
      redirect_uris: ok.redirect_uris,
      post_logout_redirect_uris: [],
      application_type: 'web',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      subject_type: 'public',
      id_token_signed_response_alg: 'RS256',
      id_token_claims: 'standard',
      require_pkce: true,
    });
    expect(metadata({ grant_types: ['client_credentials'], scope: 'read write read' })).toMatchObject({
      redirect_uris: [],
      response_types: [],
      scope: 'read write',
    });
    expect(metadata({ ...ok, client_name: null })).not.toHaveProperty('client_name');
  });

  test('what would mean trust, and what nobody knows, is dropped', () => {
    const input: unknown =
      JSON.parse(`{"redirect_uris":["https://app.example.com/cb"],"client_id":"x","client_secret":"x",
      "client_secret_expires_at":0,"registration_access_token":"x","trusted":true,"skip_consent":true,"__proto__":{"trusted":true},
      "constructor":{"prototype":{"trusted":true}},"hasOwnProperty":1,"then":1,"toString":1,"request_uris":["https://a.example/"],"x":{"y":1}}`);
    const stored = metadata(input);
    expect(Object.keys(stored).sort()).toEqual(Object.keys(metadata(ok)).sort());
    expect(Object.getPrototypeOf(stored)).toBe(Object.prototype);
    expect(stored.trusted).toBeUndefined();
    expect(({} as JsonObject).trusted).toBeUndefined();
    // Not even where a member is only inherited.
    expect(mistake(Object.create(ok))).toMatch(/redirect_uris/);
  });

  test.each<[string, unknown]>([
    ['grant_types', ['password']],
    ['grant_types', ['implicit']],
    ['grant_types', []],
    ['grant_types', 'authorization_code'],
    ['grant_types', ['Authorization_Code']],
    ['grant_types', ['refresh_token']],
    ['response_types', ['token']],
    ['response_types', ['code id_token']],
    ['response_types', ['id_token']],
    ['response_types', []],
    ['response_modes', ['web_message']],
    ['token_endpoint_auth_method', 'client_secret_jwt'],
    ['token_endpoint_auth_method', 'tls_client_auth'],
    ['token_endpoint_auth_method', 'private_key_jwt'],
    ['token_endpoint_auth_signing_alg', 'HS256'],
    ['token_endpoint_auth_signing_alg', 'RS256'],
    ['id_token_signed_response_alg', 'HS256'],
    ['id_token_signed_response_alg', 'none'],
    ['id_token_claims', 'everything'],
    ['userinfo_signed_response_alg', 'HS512'],
    ['introspection_signed_response_alg', 'HS256'],
    ['authorization_signed_response_alg', 'HS256'],
    ['request_object_signing_alg', 'HS256'],
    ['request_object_signing_alg', 'none'],
    ['application_type', 'desktop'],
    ['scope', 'a  b'],
    ['scope', ' a'],
    ['scope', 'a"b'],
    ['scope', 'a\\b'],
    ['scope', 'ä'],
    ['contacts', ['nobody']],
    ['contacts', 'a@b.example'],
    ['client_name', 'a\0b'],
    ['client_name', '\ud800'],
    ['client_name', 'a\nb'],
    ['client_name', 'é'.repeat(1025)],
    ['client_name', { toString: 1 }],
    ['default_max_age', -1],
    ['default_max_age', 1.5],
    ['default_max_age', Number.POSITIVE_INFINITY],
    ['require_pkce', 'false'],
    ['require_auth_time', 1],
    ['subject_type', 'private'],
    ['jwks', {}],
    ['jwks', { keys: 1 }],
    ['jwks', { keys: [1] }],
    ['jwks', []],
  ])('%s %j is refused', (member, value) => {
    expect(mistake({ ...ok, [member]: value })).toMatch(/^invalid_client_metadata: /);
  });

  test.each([null, undefined, 1, 'x', true, [], [[]]])('%j is no metadata', (input) => {
    expect(mistake(input)).toMatch(/JSON object/);
  });

  test('10,000 levels of nesting are an ordinary mistake', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`);
    expect(mistake({ ...ok, jwks: { keys: [deep] } })).toMatch(/jwks/);
    expect(mistake({ redirect_uris: deep })).toMatch(/redirect_uris/);
  });

  test('a machine client authenticates and is made by somebody who may', () => {
    const machine = { grant_types: ['client_credentials'] };
    expect(mistake({ ...machine, token_endpoint_auth_method: 'none' })).toMatch(/authenticates/);
    expect(mistake(machine, { by: 'person' })).toMatch(/not available/);
  });
});

describe('PKCE', () => {
  const pkce = (input: object, context: MetadataContext) => metadata({ ...ok, ...input }, context).require_pkce;
  test('is the rule for what an admin makes, and the choice of programs of the original', () => {
    expect(pkce({}, { by: 'admin' })).toBe(true);
    expect(pkce({ require_pkce: false }, { by: 'admin' })).toBe(false);
    expect(pkce({}, { by: 'register' })).toBe(false);
    expect(pkce({ require_pkce: true }, { by: 'register' })).toBe(true);
    expect(pkce({}, { by: 'person' })).toBe(false);
  });
  test('is never optional for a public client', () => {
    for (const by of ['admin', 'cli', 'register', 'person', 'built-in'] as const) {
      expect(pkce({ require_pkce: false, token_endpoint_auth_method: 'none' }, { by })).toBe(true);
      expect(pkce({ require_pkce: false, redirect_uris: ['com.example.app:/cb'] }, { by })).toBe(true);
    }
  });
  test('once obligatory it is dropped by admins only', () => {
    const previous = { require_pkce: true };
    expect(pkce({ require_pkce: false }, { by: 'register', previous })).toBe(true);
    expect(pkce({}, { by: 'admin', previous: { require_pkce: false } })).toBe(false);
    expect(pkce({ require_pkce: false }, { by: 'admin', previous })).toBe(false);
  });
});

describe('keys', () => {
  const rsa = (bits: number, publicExponent = 65_537) =>
    generateKeyPairSync('rsa', { modulusLength: bits, publicExponent }).publicKey.export({ format: 'jwk' });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = ec.publicKey.export({ format: 'jwk' });
  const withKeys = (...keys: unknown[]) => ({ ...ok, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } });

  test('public ones are taken, without what else they carry', () => {
    const good = rsa(2048);
    const stored = metadata(
      withKeys({ ...good, kid: 'a', alg: 'RS256', use: 'sig', x5u: 'https://a.example', x: undefined }, point),
    );
    expect(stored.jwks).toEqual({ keys: [{ ...good, kid: 'a', alg: 'RS256', use: 'sig' }, point] });
    expect(
      metadata({ ...ok, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://a.example/jwks' }),
    ).toHaveProperty('jwks_uri');
    expect(mistake({ ...withKeys(point), jwks_uri: 'https://a.example/jwks' })).toMatch(/together/);
  });

  test.each<[string, () => unknown]>([
    ['private', () => ec.privateKey.export({ format: 'jwk' })],
    ['symmetric', () => ({ kty: 'oct', k: 'AAAA' })],
    ['RSA with 1024 bits', () => rsa(1024)],
    ['RSA with 16384 bits', () => ({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(2048, 0xff).toString('base64url') })],
    ['RSA with exponent 1', () => ({ ...rsa(2048), e: 'AQ' })],
    ['RSA with an even exponent', () => ({ ...rsa(2048), e: 'Ag' })],
    ['not on the curve', () => ({ ...point, x: point.y })],
    ['empty', () => ({})],
    ['HS256', () => ({ ...point, alg: 'HS256' })],
    ['alg none', () => ({ ...point, alg: 'none' })],
    ['kid 1', () => ({ ...point, kid: 1 })],
    ['unknown kty', () => ({ ...point, kty: 'XX' })],
  ])('%s is refused', (_what, key) => {
    expect(mistake(withKeys(point, key()))).toMatch(/^invalid_client_metadata: jwks /);
  });

  test('1 to 20', () => {
    expect(mistake(withKeys())).toMatch(/jwks/);
    expect(mistake(withKeys(...Array(21).fill(point)))).toMatch(/jwks/);
    expect(mistake(withKeys(...Array(10_000).fill(point)))).toMatch(/jwks/);
    expect(metadata(withKeys(...Array(20).fill(point)))).toHaveProperty('jwks');
  });
});
