/** Profiles: who may choose one, and what it sets and refuses. */
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/base/json.ts';
import { parseMetadata } from '../../../src/core/clients/metadata/client-metadata.ts';
import type { MetadataContext } from '../../../src/core/clients/metadata/client-policy.ts';
import { profileOf } from '../../../src/core/clients/metadata/profiles.ts';

const cli: MetadataContext = { by: 'cli' };
const ok = { redirect_uris: ['https://app.example.com/cb'] };

function valid(
  input: JsonObject,
  context: MetadataContext = cli,
): { metadata: JsonObject; dropped: readonly string[] } {
  const parsed = parseMetadata({ ...ok, ...input }, context);
  if (parsed.outcome === 'invalid') throw new Error(parsed.description);
  return parsed;
}

function mistake(input: JsonObject, context: MetadataContext = cli): string {
  const parsed = parseMetadata({ ...ok, ...input }, context);
  return parsed.outcome === 'invalid' ? parsed.description : 'was accepted';
}

describe('profiles', () => {
  test('without a profile a client is as before', () => {
    expect(valid({}).metadata).not.toHaveProperty('profile');
    expect(valid({ profile: 'standard' })).toEqual(valid({}));
    expect(profileOf({})).toBe('standard');
    expect(mistake({ profile: 'FAPI2' })).toMatch(/^profile must be one of standard,/);
  });

  test.each(['cli', 'admin', 'register', 'built-in'] as const)('%s chooses, and a change may leave it out', (by) => {
    const { metadata } = valid({ profile: 'mcp-client' }, { by });
    expect(metadata).toMatchObject({ profile: 'mcp-client', token_endpoint_auth_method: 'none', require_pkce: true });
    expect(valid({}, { by, previous: metadata }).metadata).toMatchObject({ profile: 'mcp-client' });
    expect(valid({ profile: 'standard' }, { by, previous: metadata }).metadata).not.toHaveProperty('profile');
  });

  test('others may not move a client to something looser, and read that it was not used', () => {
    const previous = valid({ profile: 'mcp-client' }).metadata;
    const changed = valid({ profile: 'standard' }, { by: 'person', previous });
    expect(changed).toMatchObject({ metadata: { profile: 'mcp-client' }, dropped: ['profile'] });
    expect(valid({ profile: 'mcp-client' }, { by: 'person' }).metadata).toMatchObject({ profile: 'mcp-client' });
  });

  test('a member that contradicts the profile is named', () => {
    expect(mistake({ profile: 'mcp-client', token_endpoint_auth_method: 'client_secret_basic' })).toBe(
      'token_endpoint_auth_method must be none or private_key_jwt for profile mcp-client',
    );
    const previous = valid({ profile: 'mcp-client' }).metadata;
    expect(mistake({ token_endpoint_auth_method: 'client_secret_post' }, { by: 'person', previous })).toMatch(
      /^token_endpoint_auth_method must be/,
    );
  });
});

describe('fapi2', () => {
  const jwks = {
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    ],
  };
  const whole = {
    profile: 'fapi2',
    token_endpoint_auth_method: 'private_key_jwt',
    require_pkce: true,
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: true,
    id_token_signed_response_alg: 'ES256',
  };

  test('one word sets the whole', () => {
    expect(valid({ profile: 'fapi2', jwks }).metadata).toMatchObject(whole);
    expect(mistake({ profile: 'fapi2' })).toBe('private_key_jwt needs jwks or jwks_uri');
  });

  const contradictions: readonly (readonly [string, JsonObject[string], string])[] = [
    ['token_endpoint_auth_method', 'client_secret_basic', 'must be private_key_jwt for profile fapi2'],
    ['token_endpoint_auth_method', 'none', 'must be private_key_jwt for profile fapi2'],
    ['token_endpoint_auth_method', 'tls_client_auth', 'tls_client_auth is not supported: use private_key_jwt'],
    ['token_endpoint_auth_signing_alg', 'RS256', 'must be PS256 or ES256 or EdDSA or Ed25519 for profile fapi2'],
    ['require_pkce', false, 'must be true for profile fapi2'],
    ['require_pushed_authorization_requests', false, 'must be true for profile fapi2'],
    ['dpop_bound_access_tokens', false, 'must be true for profile fapi2'],
    ['id_token_signed_response_alg', 'RS256', 'must be ES256 for profile fapi2'],
    ['userinfo_signed_response_alg', 'RS256', 'must be ES256 for profile fapi2'],
    ['introspection_signed_response_alg', 'RS256', 'must be ES256 for profile fapi2'],
    ['allow_insecure_redirects', true, 'must be false for profile fapi2'],
  ];
  test.each(contradictions)('%s %j contradicts it: refused by name, by every way', (member, value, words) => {
    for (const by of ['admin', 'cli', 'register', 'built-in'] as const)
      expect(mistake({ profile: 'fapi2', jwks, [member]: value }, { by })).toBe(`${member} ${words}`);
    // Also later, and by the owner of a client that an operator put under the profile.
    const previous = valid({ profile: 'fapi2', jwks }).metadata;
    for (const by of ['cli', 'person'] as const)
      expect(mistake({ ...previous, [member]: value }, { by, previous })).toBe(`${member} ${words}`);
  });

  test('an existing client moves to it with one word and its keys; what it had is replaced, not refused', () => {
    const previous = valid({ require_pkce: false }, cli).metadata;
    expect(previous).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic', require_pkce: false });
    const moved = valid({ ...previous, profile: 'fapi2', jwks }, { by: 'cli', previous }).metadata;
    expect(moved).toMatchObject(whole);
    // What the change itself says is no leftover.
    expect(
      mistake(
        { ...previous, profile: 'fapi2', jwks, token_endpoint_auth_method: 'client_secret_post' },
        { by: 'cli', previous },
      ),
    ).toMatch(/^token_endpoint_auth_method must be private_key_jwt/);
  });

  test('a person may choose it for their own client, and never leaves it again', () => {
    const previous = valid({ profile: 'fapi2', jwks }, { by: 'person' }).metadata;
    expect(previous).toMatchObject(whole);
    expect(valid({ ...previous, profile: 'standard' }, { by: 'person', previous })).toMatchObject({
      metadata: whole,
      dropped: ['profile'],
    });
  });

  test('a client that must push is not freed of it by others than an admin', () => {
    const previous = valid({ require_pushed_authorization_requests: true }, { by: 'person' }).metadata;
    const free = { require_pushed_authorization_requests: false };
    expect(valid(free, { by: 'person', previous })).toMatchObject({
      metadata: { require_pushed_authorization_requests: true },
      dropped: ['require_pushed_authorization_requests'],
    });
    expect(valid(free, { by: 'cli', previous }).metadata).not.toHaveProperty('require_pushed_authorization_requests');
  });
});
