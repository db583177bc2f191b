/** What may be registered (security.md A1, A16, E3, hostile input 7 and 9). */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/base/json.ts';
import { parseMetadata } from '../../../src/core/clients/metadata/client-metadata.ts';
import type { MetadataContext } from '../../../src/core/clients/metadata/client-policy.ts';
import { redirectUriKind } from '../../../src/core/clients/metadata/client-uris.ts';

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

function dropped(input: unknown, context: MetadataContext = cli): string[] {
  const parsed = parseMetadata(input, context);
  if (parsed.outcome === 'invalid') throw new Error(parsed.description);
  return [...parsed.dropped];
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
    ['http://app.localhost:3000/cb', 'http-loopback-name'],
    ['com.example.app:/cb', 'private-use'],
    ['com.example.app://cb', 'private-use'],
    ['cursor://anysphere.cursor-mcp/oauth/callback', 'private-use'],
    ['vscode://vscode.github-authentication/did-authenticate', 'private-use'],
    ['windsurf://MermaidChart.vscode-mermaid-chart', 'private-use'],
    ['raycast://oauth?package_name=Extension', 'private-use'],
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
    'http://.localhost/cb',
    'http://app.localhost./cb',
    'http://applocalhost/cb',
    'http://nas.lan/cb',
    'http://192.168.1.5/cb',
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
    'cursor:',
    'cursor:callback',
    'Cursor://callback',
    'cursor://user@callback',
    'view-source:https://app.example.com/cb',
    'intent://callback#Intent',
    'http:/app.example.com/cb',
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
    ).toMatchObject({ application_type: 'native' });
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
      consent: 'new',
      redirect_uris: ok.redirect_uris,
      post_logout_redirect_uris: [],
      application_type: 'web',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      subject_type: 'public',
      id_token_signed_response_alg: 'RS256',
      id_token_claims: 'standard',
      require_pkce: false,
      loopback_ports: 'registered',
    });
    expect(metadata({ grant_types: ['client_credentials'], scope: 'read write read' })).toMatchObject({
      redirect_uris: [],
      response_types: [],
      scope: 'read write',
    });
    expect(metadata({ ...ok, client_name: null })).not.toHaveProperty('client_name');
  });

  test('what would mean trust, and what is unknown, is dropped', () => {
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

  test('a machine client authenticates and is made by those who may', () => {
    const machine = { grant_types: ['client_credentials'] };
    expect(mistake({ ...machine, token_endpoint_auth_method: 'none' })).toMatch(/authenticates/);
    expect(mistake(machine, { by: 'person' })).toMatch(/not available/);
  });
});

describe('PKCE', () => {
  const pkce = (input: object, context: MetadataContext) => metadata({ ...ok, ...input }, context).require_pkce;
  test('is the choice of a client that authenticates, and of anyone who asks for it', () => {
    for (const by of ['admin', 'cli'] as const) expect(pkce({}, { by })).toBe(false);
    expect(pkce({ require_pkce: true }, { by: 'person' })).toBe(true);
    expect(pkce({ require_pkce: false }, { by: 'admin' })).toBe(false);
    expect(pkce({}, { by: 'register' })).toBe(false);
    expect(pkce({ require_pkce: true }, { by: 'register' })).toBe(true);
    expect(pkce({}, { by: 'person' })).toBe(false);
  });
  test('is never optional for a public client', () => {
    for (const by of ['admin', 'cli', 'register', 'person', 'built-in'] as const) {
      expect(pkce({ require_pkce: false, token_endpoint_auth_method: 'none' }, { by })).toBe(true);
      expect(pkce({ redirect_uris: ['com.example.app:/cb'], token_endpoint_auth_method: 'none' }, { by })).toBe(true);
    }
  });
  test('is optional for a native client that authenticates', () => {
    for (const by of ['admin', 'cli', 'register'] as const)
      expect(pkce({ redirect_uris: ['com.example.app:/cb'] }, { by })).toBe(false);
  });
  test('once obligatory it is dropped by admins only', () => {
    const previous = { require_pkce: true };
    expect(pkce({ require_pkce: false }, { by: 'register', previous })).toBe(true);
    // An existing client keeps what it had.
    expect(pkce({}, { by: 'admin', previous })).toBe(true);
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

describe('where codes may go beyond the rule', () => {
  const own = { redirect_uris: ['acme://login/cb'], redirect_schemes: ['acme'] };
  const lan = { redirect_uris: ['http://nas.lan:8080/cb'], allow_insecure_redirects: true };

  test('an operator adds a scheme without a dot to one client', () => {
    for (const by of ['cli', 'admin'] as const) {
      const stored = metadata({ ...own, post_logout_redirect_uris: ['acme:/bye'] }, { by });
      expect(stored).toMatchObject({ ...own, application_type: 'native' });
    }
    for (const by of ['register', 'person'] as const) {
      expect(mistake(own, { by })).toMatch(/^invalid_redirect_uri: redirect_uris must be https/);
      expect(dropped({ ...ok, redirect_schemes: ['acme'] }, { by })).toEqual(['redirect_schemes']);
      // What an operator once said outlasts another's change.
      expect(metadata({ redirect_uris: own.redirect_uris }, { by, previous: own })).toMatchObject(own);
    }
    expect(mistake({ ...own, redirect_schemes: ['other'] })).toMatch(
      /^invalid_redirect_uri.*for others set redirect_schemes$/,
    );
  });

  test.each([
    ...['javascript', 'data', 'file', 'http', 'https', 'vbscript', 'blob', 'about', 'intent', 'mailto', 'web+app'],
    ...['acme:', 'ACME', 'acme://', '', ' acme', 'a b', '1acme', 'acme\n', 'j\u0430vascript'],
  ])('the scheme %j cannot be added', (scheme) => {
    expect(mistake({ ...ok, redirect_schemes: [scheme] })).toMatch(/^invalid_client_metadata: redirect_schemes /);
    expect(mistake({ redirect_uris: [`${scheme}:/cb`], redirect_schemes: [scheme] })).toMatch(/redirect_/);
  });

  test('http on other hosts is for reviewed clients, by an operator', () => {
    for (const by of ['cli', 'admin'] as const)
      expect(metadata({ ...lan, post_logout_redirect_uris: ['http://192.168.1.5/bye'] }, { by })).toMatchObject(lan);
    for (const by of ['register', 'person'] as const) expect(mistake(lan, { by })).toMatch(/^invalid_redirect_uri/);
    expect(mistake(lan, { by: 'cli', reviewed: false })).toMatch(/allow_insecure_redirects needs a reviewed client/);
    expect(mistake({ ...lan, allow_insecure_redirects: false })).toMatch(/for others set allow_insecure_redirects$/);
    for (const uri of ['http://user@nas.lan/cb', 'http://nas.lan/cb#x', 'http://*.lan/cb', 'ftp://nas.lan/cb'])
      expect(mistake({ ...lan, redirect_uris: [uri] })).toMatch(/^invalid_redirect_uri/);
    expect(mistake({ ...lan, redirect_uris: [...lan.redirect_uris, 'com.example.app:/cb'] })).toMatch(/combine/);
  });

  test('P5: any port on loopback is for public clients; what was stored before keeps what it had', () => {
    const ports = (input: object, context: MetadataContext = cli) =>
      metadata({ ...ok, ...input }, context).loopback_ports;
    expect(ports({ token_endpoint_auth_method: 'none', loopback_ports: 'registered' })).toBe('any');
    expect(ports({})).toBe('registered');
    expect(ports({ application_type: 'native' })).toBe('registered');
    expect(ports({ loopback_ports: 'any' })).toBe('any');
    expect(ports({ loopback_ports: 'any' }, { by: 'register' })).toBe('registered');
    const previous = { application_type: 'native', token_endpoint_auth_method: 'client_secret_basic' };
    expect(ports({}, { by: 'cli', previous })).toBe('any');
    expect(ports({}, { by: 'cli', previous: { token_endpoint_auth_method: 'none', loopback_ports: 'any' } })).toBe(
      'registered',
    );
  });
});

describe('reuse of refresh tokens', () => {
  const spa = { ...ok, token_endpoint_auth_method: 'none' };
  const operators = ['admin', 'cli', 'register', 'built-in'] as const;

  test('is for operators to set; what others ask for is dropped, and at a change the stored rule stays', () => {
    const rule = { refresh_reuse: 'window', refresh_reuse_seconds: 900 };
    for (const by of operators) expect(metadata({ ...spa, ...rule }, { by })).toMatchObject(rule);
    const theirs = parseMetadata({ ...spa, ...rule }, { by: 'person' });
    expect(theirs).toMatchObject({ outcome: 'valid', dropped: ['refresh_reuse', 'refresh_reuse_seconds'] });
    expect(metadata({ ...spa, ...rule }, { by: 'person' })).not.toHaveProperty('refresh_reuse');
    const previous = { ...spa, refresh_reuse: 'strict' };
    for (const asked of [spa, { ...spa, refresh_reuse: 'until-used' }]) {
      const kept = metadata(asked, { by: 'person', previous });
      expect([kept.refresh_reuse, kept.refresh_reuse_seconds]).toEqual(['strict', undefined]);
    }
    expect(metadata(spa, { by: 'cli', previous })).not.toHaveProperty('refresh_reuse');
  });

  test.each([
    [{ refresh_reuse: 'sometimes' }, 'refresh_reuse must be one of strict, window, until-used'],
    [{ refresh_reuse: 60 }, 'refresh_reuse must be one of strict, window, until-used'],
    [{ refresh_reuse: 'window', refresh_reuse_seconds: 901 }, 'refresh_reuse_seconds must be at most 900'],
    [
      { refresh_reuse: 'window', refresh_reuse_seconds: 0 },
      'refresh_reuse_seconds must be at least 1: for no reuse, set refresh_reuse to strict',
    ],
    [{ refresh_reuse: 'window', refresh_reuse_seconds: '60' }, 'refresh_reuse_seconds must be a whole number'],
    [{ refresh_reuse: 'window', refresh_reuse_seconds: 1.5 }, 'refresh_reuse_seconds must be a whole number'],
    [{ refresh_reuse_seconds: 60 }, 'refresh_reuse_seconds needs refresh_reuse window'],
    [{ refresh_reuse: 'until-used', refresh_reuse_seconds: 60 }, 'refresh_reuse_seconds needs refresh_reuse window'],
    [
      { refresh_reuse: 'strict', token_endpoint_auth_method: 'client_secret_basic' },
      'refresh_reuse is for public clients: a client that authenticates keeps its refresh token',
    ],
  ])('%j is refused', (members, reason) => {
    for (const by of operators)
      expect(mistake({ ...spa, ...members }, { by })).toBe(`invalid_client_metadata: ${reason}`);
  });
});

describe('P7: what is not offered', () => {
  test('unknown members are dropped by name, unsupported values of a list too, as long as one is left', () => {
    const unused = 'urn:openid:params:grant-type:ciba';
    const input = {
      ...ok,
      grant_types: ['authorization_code', unused],
      response_types: ['code', 'id_token', 'code token'],
      response_modes: ['query', 'web_message'],
      scope: '',
      skip_consent: true,
      'na\nme': 1,
      nothing: null,
    };
    expect(dropped(input).sort()).toEqual([
      `grant_types ${unused}`,
      'na?me',
      'response_modes web_message',
      'response_types code?token',
      'response_types id_token',
      'scope (it is empty)',
      'skip_consent',
    ]);
    const stored = metadata(input);
    expect(stored).toMatchObject({
      grant_types: ['authorization_code'],
      response_types: ['code'],
      response_modes: ['query'],
    });
    expect(stored).not.toHaveProperty('scope');
    expect(dropped(ok)).toEqual([]);
    expect(mistake({ ...ok, grant_types: [unused] })).toMatch(
      /grant_types has no supported value. Supported: authorization_code/,
    );
    expect(mistake({ ...ok, response_types: ['token'] })).toMatch(
      /response_types has no supported value. Supported: code/,
    );
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`member${i}`, 1]));
    expect(dropped({ ...ok, ...many })).toHaveLength(51);
  });

  const asked: [string, unknown][] = [
    ['tls_client_certificate_bound_access_tokens', true],
    ['require_signed_request_object', true],
    ['request_object_signing_alg', 'RS256'],
    ['request_object_encryption_alg', 'RSA-OAEP'],
    ['frontchannel_logout_uri', 'https://app.example.com/logout'],
    ['frontchannel_logout_session_required', true],
    ['authorization_signed_response_alg', 'ES256'],
    ['id_token_encrypted_response_alg', 'RSA-OAEP'],
    ['userinfo_encrypted_response_alg', 'RSA-OAEP'],
    ['userinfo_encrypted_response_enc', 'A256GCM'],
    ['introspection_encrypted_response_alg', 'RSA-OAEP'],
    ['authorization_encrypted_response_alg', 'RSA-OAEP'],
  ];
  test.each(asked)('%s %j promises protection: it is refused by every way, and never dropped', (member, value) => {
    for (const by of ['admin', 'cli', 'register', 'person', 'built-in'] as const)
      expect(mistake({ ...ok, [member]: value }, { by })).toMatch(
        new RegExp(`^invalid_client_metadata: ${member} asks for .*not supported$`),
      );
    if (value !== true) return;
    expect(dropped({ ...ok, [member]: false })).toEqual([]);
    expect(metadata({ ...ok, [member]: false })).not.toHaveProperty(member);
    expect(mistake({ ...ok, [member]: 'true' })).toBe(`invalid_client_metadata: ${member} must be a boolean`);
  });

  test('back-channel logout is taken by every way: https, or http on loopback, without a fragment', () => {
    const uri = 'https://app.example.com/logout?from=here';
    for (const by of ['admin', 'cli', 'register', 'person', 'built-in'] as const) {
      for (const good of [uri, 'http://localhost:4000/logout', 'http://127.0.0.1/', 'http://[::1]:1/']) {
        const members = { backchannel_logout_uri: good, backchannel_logout_session_required: true };
        expect(metadata({ ...ok, ...members }, { by })).toMatchObject(members);
        expect(dropped({ ...ok, ...members }, { by })).toEqual([]);
      }
      for (const bad of [
        ...['http://app.example.com/logout', `${uri}#here`, '/logout', 'ftp://app.example.com/', 'javascript:alert(1)'],
        ...[
          'https://user:pass@app.example.com/',
          'https://app.example.com/a/../b',
          'https://app.example.com/ b',
          '',
          5,
        ],
      ])
        expect([bad, mistake({ ...ok, backchannel_logout_uri: bad }, { by })]).toEqual([
          bad,
          expect.stringMatching(/^invalid_client_metadata: backchannel_logout_uri must/),
        ]);
    }
    expect(mistake({ ...ok, backchannel_logout_session_required: true })).toMatch(/needs backchannel_logout_uri/);
    expect(mistake({ ...ok, backchannel_logout_uri: uri, backchannel_logout_session_required: 'yes' })).toMatch(
      /boolean/,
    );
    expect(metadata({ ...ok, backchannel_logout_session_required: false })).not.toHaveProperty(
      'backchannel_logout_uri',
    );
  });

  test('a client that was stored with one can be changed: it goes, with a word', () => {
    const previous = { frontchannel_logout_uri: 'https://app.example.com/logout' };
    const context: MetadataContext = { by: 'cli', previous };
    expect(dropped({ ...ok, ...previous }, context)).toEqual(['frontchannel_logout_uri']);
    expect(metadata({ ...ok, ...previous }, context)).not.toHaveProperty('frontchannel_logout_uri');
    expect(mistake({ ...ok, frontchannel_logout_uri: 'https://app.example.com/other' }, context)).toMatch(
      /not supported/,
    );
  });

  test.each([
    ['token_endpoint_auth_method', 'client_secret_jwt', /only its hash is stored: use private_key_jwt/],
    ['token_endpoint_auth_method', 'tls_client_auth', /is not supported: use private_key_jwt/],
    ['token_endpoint_auth_method', 'self_signed_tls_client_auth', /is not supported: use private_key_jwt/],
    ['subject_type', 'pairwise', /pairwise identifiers are not supported/],
  ])('%s %s is refused with the reason', (member, value, reason) => {
    expect(mistake({ ...ok, [member]: value })).toMatch(reason);
  });
});
