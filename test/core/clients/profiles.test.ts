/** Profiles: who may choose one, and what it sets and refuses. */
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../src/base/json.ts';
import { parseMetadata } from '../../../src/core/clients/client-metadata.ts';
import type { MetadataContext } from '../../../src/core/clients/client-policy.ts';
import { profileOf } from '../../../src/core/clients/profiles.ts';

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
