/**
 * The OpenAPI document of the protocol's JSON endpoints. The engine validates their input; tests compare this document
 * with its responses. `authorize` and `logout` are left out, because browsers visit them for pages and redirects.
 */
import type { Api } from '../api/kit/endpoints.ts';
import type { Description } from '../api/kit/operation.ts';
import { routes } from './configuration.ts';

const shapes = () => import('./shapes.ts');

/** Errors of the token endpoint have one more member. */
const tokenFailure = async () => (await shapes()).tokenFailure;
const client = ['client', 'public'];
const ways =
  'A confidential client authenticates with its registered method: HTTP Basic, `client_secret` in the form, or `client_assertion`. A public client sends its `client_id`.';
const likewise = 'The client authenticates as at the token endpoint.';
const badClient = 'The client is unknown or disabled, or has not authenticated with its registered method.';
const tooLarge = 'The body is larger than 64 KiB.';
const tooMany = {
  description: 'Too many wrong credentials for this client or from this address; `temporarily_unavailable`.',
  headers: { 'Retry-After': 'Seconds until the next attempt is checked.' },
};
const away = 'The database is unavailable.';
const challenge = { 'WWW-Authenticate': 'A Bearer or DPoP challenge.' };

const userinfo: Description = {
  summary: 'Claims about the user',
  description: 'The claims that the scopes and the `claims` parameter of the authorization request asked for.',
  security: ['accessToken'],
  answers: {
    200: {
      description: 'JSON, or signed (`application/jwt`) if the client is registered for it.',
      body: async () => (await shapes()).userinfo,
    },
    400: 'More than one access token, a malformed header, or an origin of another client.',
    401: {
      description: 'No access token, or one that is forged, expired, ended, or only for an API.',
      headers: challenge,
    },
    403: { description: 'The token lacks the scope `openid`.', headers: challenge },
    503: away,
  },
};

const discovery = (summary: string): Description => ({
  summary,
  answers: { 200: { description: 'Public, and cacheable.', body: async () => (await shapes()).metadata } },
});

export const protocolApi: Api = {
  name: 'oauth',
  title: 'OAuth 2.0 and OpenID Connect',
  about:
    'The standard endpoints that programs call. The flow begins in a browser at /oauth/authorize and ends at /oauth/logout, which are pages.',
  failure: async () => (await shapes()).failure,
  schemes: {
    client: {
      type: 'http',
      scheme: 'basic',
      description: 'Client id and secret, both form-encoded (RFC 6749, section 2.3.1).',
    },
    accessToken: {
      type: 'http',
      scheme: 'bearer',
      description:
        'An access token with the scope openid: an opaque token, or a JWT whose audience includes ISSUER/userinfo.',
    },
  },
  table: {
    [routes.token]: {
      POST: {
        summary: 'Get tokens',
        description: `For a code, for a refresh token, for a device, or for the client itself. ${ways}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).tokenForm,
        answers: {
          200: { description: 'The tokens.', body: async () => (await shapes()).tokens },
          400: {
            description:
              'The grant is invalid, or the request is malformed (RFC 6749, section 5.2). A device may have to wait: `authorization_pending` or `slow_down`.',
            body: tokenFailure,
          },
          401: { description: badClient, body: tokenFailure },
          413: { description: tooLarge, body: tokenFailure },
          429: { ...tooMany, body: tokenFailure },
          503: { description: away, body: tokenFailure },
        },
      },
    },
    [routes.pushed_authorization_request]: {
      POST: {
        summary: 'Push an authorization request',
        description: `Stores the parameters of an authorization request (RFC 9126). The browser then brings only \`client_id\` and \`request_uri\`. ${likewise}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).pushForm,
        answers: {
          201: {
            description: 'The request is stored for one authorization.',
            body: async () => (await shapes()).pushed,
          },
          400: 'The authorization endpoint would refuse the request, or it has a `request_uri`.',
          401: badClient,
          413: 'The body is larger than 64 KiB, or without credentials than 12 KiB.',
          429: tooMany,
          503: away,
        },
      },
    },
    [routes.device_authorization]: {
      POST: {
        summary: 'Begin on a device',
        description: `For a device without a browser (RFC 8628). It shows \`user_code\` and \`verification_uri\`, and polls the token endpoint. ${likewise}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).deviceForm,
        answers: {
          200: { description: 'The codes.', body: async () => (await shapes()).deviceCodes },
          400: 'The client may not use this grant type, or the request is malformed.',
          401: badClient,
          413: tooLarge,
          429: {
            ...tooMany,
            description: `${tooMany.description} Also for an address whose public clients began too many codes.`,
          },
          503: away,
        },
      },
    },
    [routes.userinfo]: {
      GET: userinfo,
      POST: {
        ...userinfo,
        description: `${userinfo.description} The form may carry the token instead of the header (RFC 6750, section 2.2).`,
        security: ['accessToken', 'public'],
        answers: { ...userinfo.answers, 413: tooLarge },
      },
    },
    [routes.introspection]: {
      POST: {
        summary: 'Introspect a token',
        description: `A token of the client itself, or of an API that names the client as an introspector (RFC 7662). ${likewise}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).tokenToAskAbout,
        answers: {
          200: {
            description:
              'The facts of the token; only `active: false` for a token that the client may not introspect. A JWT (RFC 9701) if the request accepts `application/token-introspection+jwt`, or the client is registered with `introspection_signed_response_alg`.',
            body: async () => (await shapes()).introspection,
          },
          400: 'The request is malformed.',
          401: badClient,
          413: tooLarge,
          429: tooMany,
          503: away,
        },
      },
    },
    [routes.revocation]: {
      POST: {
        summary: 'Revoke a token',
        description: `A user's token ends with its whole grant (RFC 7009); a client's own token ends alone. ${likewise}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).tokenToAskAbout,
        answers: {
          200: {
            description: 'The token is revoked, or the client has no such token. The body is an empty object.',
            body: async () => (await shapes()).nothing,
          },
          400: 'The request is malformed.',
          401: badClient,
          413: tooLarge,
          429: tooMany,
          503: away,
        },
      },
    },
    [routes.jwks]: {
      GET: {
        summary: 'Public keys',
        description: 'The current keys, the next keys, and old keys whose signatures may still be valid (RFC 7517).',
        answers: {
          200: {
            description: 'Public, and cacheable.',
            type: 'application/jwk-set+json',
            body: async () => (await shapes()).keySet,
          },
        },
      },
    },
    '/.well-known/openid-configuration': { GET: discovery('Metadata (OpenID Connect Discovery)') },
    '/.well-known/oauth-authorization-server': { GET: discovery('Metadata (RFC 8414)') },
  },
};
