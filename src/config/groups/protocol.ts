import { redirectHosts, schemes, scopeNames } from '../client-kinds.ts';
import { flag, oneOf, seconds, wholeNumber } from '../kinds.ts';
import { DAY, optional, setting } from '../setting.ts';

export const protocol = {
  MCP: setting(flag, false, {
    sentence:
      'Serves MCP clients and other agents: a `client_id` may be the address of a document (docs/metadata-clients.md), and clients may register themselves.',
    example: 'true',
  }),
  REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: setting(flag, false, {
    sentence:
      'Every application must push its authorization requests (RFC 9126). Without it, `require_pushed_authorization_requests` decides for each client.',
    example: 'true',
  }),
  REGISTRATION: optional(oneOf('off', 'token', 'open'), '`off`; with `MCP` `open`', {
    sentence:
      'Who may register applications at `/oauth/register` (RFC 7591): no client, clients with an initial access token (`registration-tokens create`), or every client.',
    example: 'token',
  }),
  REGISTRATION_ADDRESS_LIMIT: setting(wholeNumber(1, 100_000), 100, {
    sentence: 'The number of registrations without an initial access token from one address in an hour.',
    example: '20',
  }),
  REGISTRATION_LIMIT: setting(wholeNumber(1, 1_000_000), 1000, {
    sentence: 'The same for all addresses together.',
    example: '200',
  }),
  DYNAMIC_CLIENT_MAX: setting(wholeNumber(1, 1_000_000), 10_000, {
    sentence: 'The number of registered clients that exist at one time. Beyond it, registrations are refused.',
    example: '1000',
  }),
  DYNAMIC_CLIENT_SCOPES: optional(scopeNames, 'all scopes that a person can allow', {
    sentence:
      'The scopes that unreviewed clients may have at most: those that registered themselves, or have a metadata document.',
    example: 'openid profile offline_access books:read',
  }),
  DYNAMIC_CLIENT_REDIRECT_HOSTS: optional(redirectHosts, 'all', {
    sentence:
      'The hosts of their redirect URIs. If it is set, private-use schemes must be named in `DYNAMIC_CLIENT_REDIRECT_SCHEMES`.',
    example: 'loopback claude.ai *.example.com',
  }),
  DYNAMIC_CLIENT_REDIRECT_SCHEMES: optional(schemes, 'none', {
    sentence: 'The private-use schemes that their redirect URIs may have, beside those of docs/registering.md.',
    example: 'acme',
  }),
  DYNAMIC_CLIENT_UNUSED_TTL: setting(seconds(60, 365 * DAY), DAY, {
    sentence: 'How long a registered client lasts if no person ever signs in to it.',
    example: '3600',
  }),
  DYNAMIC_CLIENT_IDLE_TTL: setting(seconds(3600, 3660 * DAY), 90 * DAY, {
    sentence: 'How long it lasts after its last token. A client that an operator has reviewed never expires.',
    example: '2592000',
  }),
} as const;
