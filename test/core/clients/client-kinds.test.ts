/** What each kind of client sets, and what contradicts it (clients.md, "which flags do I need?"). */
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/base/json.ts';
import { type ClientKind, ofKind } from '../../../src/core/clients/client-kinds.ts';
import { parseMetadata } from '../../../src/core/clients/metadata/client-metadata.ts';
import { identityScopes } from '../../../src/core/kernel/identity-scopes.ts';

const device = 'urn:ietf:params:oauth:grant-type:device_code';
const web = { client_name: 'A', redirect_uris: ['https://a.example.com/cb'] };

describe('each kind sets what it needs', () => {
  test.each<[ClientKind, JsonObject, JsonObject]>([
    [
      'web',
      web,
      { token_endpoint_auth_method: 'client_secret_basic', application_type: 'web', response_types: ['code'] },
    ],
    ['web', { ...web, token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://a.example.com/jwks' }, {}],
    [
      'web',
      { ...web, profile: 'fapi2', jwks_uri: 'https://a.example.com/jwks' },
      { token_endpoint_auth_method: 'private_key_jwt' },
    ],
    ['spa', web, { token_endpoint_auth_method: 'none', application_type: 'web', require_pkce: true }],
    ['spa', { redirect_uris: ['http://localhost:5173/cb'] }, { token_endpoint_auth_method: 'none' }],
    ['native', { redirect_uris: ['http://127.0.0.1/cb'] }, { application_type: 'native', require_pkce: true }],
    ['native', { redirect_uris: ['com.example.app:/cb'] }, { token_endpoint_auth_method: 'none' }],
    [
      'mcp-client',
      { redirect_uris: ['http://127.0.0.1/callback', 'https://agent.example/cb'] },
      { token_endpoint_auth_method: 'none', profile: 'mcp-client', loopback_ports: 'any', require_pkce: true },
    ],
    [
      'device',
      { client_name: 'TV' },
      {
        ...{ grant_types: [device, 'refresh_token'], response_types: [], redirect_uris: [], require_pkce: true },
        ...{ token_endpoint_auth_method: 'none', application_type: 'native' },
      },
    ],
    [
      'native',
      { redirect_uris: ['http://127.0.0.1/cb'], grant_types: ['authorization_code', 'refresh_token', device] },
      { response_types: ['code'] },
    ],
    [
      'service',
      { scope: 'orders:read' },
      { grant_types: ['client_credentials'], response_types: [], redirect_uris: [], scope: 'orders:read' },
    ],
  ])('%s with %j', (kind, given, expected) => {
    const asked = ofKind(kind, given, identityScopes);
    if ('mistake' in asked) throw new Error(asked.mistake);
    const parsed = parseMetadata(asked.metadata, { by: 'cli' });
    expect(parsed).toMatchObject({ outcome: 'valid', metadata: { ...expected, ...given } });
    if (kind !== 'service' && kind !== 'device' && given.grant_types === undefined)
      expect(parsed).toMatchObject({ metadata: { grant_types: ['authorization_code', 'refresh_token'] } });
  });
});

test.each<[ClientKind, JsonObject, string]>([
  ['web', { ...web, token_endpoint_auth_method: 'none' }, 'as spa or native'],
  ['web', { ...web, grant_types: ['client_credentials'] }, 'as service'],
  ['web', { ...web, grant_types: ['authorization_code', 'client_credentials'] }, 'clients register service'],
  ['web', { redirect_uris: ['com.example.app:/cb'] }, 'as native'],
  ['web', { ...web, application_type: 'native' }, 'Leave out --type native'],
  ['web', {}, '--redirect-uri'],
  ['spa', { ...web, token_endpoint_auth_method: 'client_secret_post' }, 'as web'],
  ['spa', { ...web, client_secret: 'x' }, 'cannot keep a secret'],
  ['spa', { ...web, require_pkce: false }, 'needs PKCE'],
  ['spa', { redirect_uris: ['com.example.app:/cb'] }, 'as native'],
  ['spa', {}, '--redirect-uri'],
  ['native', { ...web, token_endpoint_auth_method: 'client_secret_basic' }, 'as web'],
  ['native', { ...web, application_type: 'web' }, 'Leave out --type web'],
  ['native', { ...web, client_secret: 'x' }, 'cannot keep a secret'],
  ['mcp-client', { ...web, token_endpoint_auth_method: 'client_secret_basic' }, 'An agent has no secret'],
  ['mcp-client', { ...web, client_secret: 'x' }, 'An agent has no secret'],
  ['mcp-client', {}, '--redirect-uri'],
  ['device', { redirect_uris: ['http://127.0.0.1/cb'] }, 'no redirect URI'],
  ['device', { grant_types: ['refresh_token'] }, '--grant-type device_code'],
  ['device', { grant_types: [device, 'authorization_code'] }, 'Leave out --grant-type authorization_code'],
  ['device', { token_endpoint_auth_method: 'client_secret_basic' }, 'as web'],
  ['device', { application_type: 'web' }, 'Leave out --type web'],
  ['service', { scope: 'openid orders:read' }, 'openid is about a user'],
  ['service', { scope: 'profile' }, 'profile is about a user'],
  ['service', web, 'no redirect URI'],
  ['service', { post_logout_redirect_uris: ['https://a.example.com/'] }, 'no redirect URI'],
  ['service', { token_endpoint_auth_method: 'none' }, 'Leave out --public'],
  ['service', { grant_types: ['client_credentials', 'authorization_code'] }, '--grant-type authorization_code'],
])('%s with %j is refused with the fix', (kind, given, fix) => {
  expect(ofKind(kind, given, identityScopes)).toEqual({ mistake: expect.stringContaining(fix) });
});
