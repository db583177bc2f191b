/**
 * The metadata of a protected resource (RFC 9728). Clients find it by a well-known address, or by the challenge of a
 * 401, and drop it if `resource` is not the address that they use.
 */
import type { JsonObject } from '../../base/json.ts';
import type { ApiRecord } from '../stores/apis.ts';
import { openScopes } from './apis.ts';

export const resourceMetadataPath = '/.well-known/oauth-protected-resource';

/**
 * `scopes_supported` is never left out: without it, some agents request every scope of the authorization server. It has
 * no `offline_access`, because a refresh token is no matter of the resource.
 */
export function resourceMetadataOf(api: ApiRecord, issuer: string): JsonObject {
  return {
    resource: api.identifier,
    authorization_servers: [issuer],
    scopes_supported: openScopes(api),
    bearer_methods_supported: ['header'],
    resource_name: api.name,
  };
}

/**
 * Section 3.1: the well-known part goes between host and path. Undefined if the identifier is no http(s) address, or
 * has a query.
 */
export function resourceMetadataAddress(identifier: string): string | undefined {
  const url = URL.parse(identifier);
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '') return undefined;
  return `${url.origin}${resourceMetadataPath}${url.pathname === '/' ? '' : url.pathname}`;
}
