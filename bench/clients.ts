/** The clients, APIs and scopes of every server under test, so that both sides of a ratio do the same work. */

export const redirectUri = 'https://app.example.com/cb';
export const scope = 'openid';

/** A client credentials token for this resource is a JWT (RFC 9068, ES256). Without a resource it is opaque. */
export const api = { identifier: 'https://api.example.com/', name: 'Example', scope: 'read' };

export const machine = {
  client_name: 'Machine',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  scope: api.scope,
};

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** Confidential. Its access tokens are used for introspection and userinfo. */
export const web = {
  client_name: 'Web application',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token', deviceGrant],
  response_types: ['code'],
  id_token_signed_response_alg: 'ES256',
};

/** Public. Its refresh tokens rotate. */
export const spa = { ...web, client_name: 'Single-page application', token_endpoint_auth_method: 'none' };

/** Public, and described by the document at its id, which is fresh throughout a run. */
export const agentId = 'https://agent.example.com/client.json';

export const password = 'seven lemons under glass';
export const personName = (index: number): string => `bench${index}`;

export interface Seeded {
  readonly machine: { readonly id: string; readonly secret: string };
  readonly web: { readonly id: string; readonly secret: string };
  readonly spa: { readonly id: string };
  /** Described by a document. The bare engine has none. */
  readonly document?: { readonly id: string };
}
