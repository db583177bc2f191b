/**
 * What the OpenAPI document says of the protocol's JSON endpoints. The engine checks their input; the tests hold these words to
 * its answers. The endpoints that a browser visits (`authorize`, `logout`) are not here: they answer with pages and redirects.
 */
import type { Api } from '../api/kit/endpoints.ts';
import type { Description } from '../api/kit/operation.ts';
import { routes } from './configuration.ts';

const shapes = () => import('./shapes.ts');

/** Errors of the token endpoint have a member more. */
const tokenFailure = async () => (await shapes()).tokenFailure;
const client = ['client', 'nobody'];
const ways =
  'A confidential client authenticates by HTTP Basic, by `client_secret` in the form, or by `client_assertion`, whichever it is registered for; a public one sends its `client_id`.';
const likewise = 'The client authenticates as at the token endpoint.';
const badClient = 'The client is unknown or disabled, or has not authenticated as it is registered.';
const tooLarge = 'The body is larger than 64 KiB.';
const tooMany = {
  description: 'Too many credentials of this client, or from this address, were wrong; `temporarily_unavailable`.',
  headers: { 'Retry-After': 'Seconds until another one is looked at.' },
};
const away = 'The database does not answer.';
const challenge = { 'WWW-Authenticate': 'A Bearer challenge (RFC 6750, section 3).' };

const userinfo: Description = {
  summary: 'Claims about the person',
  description: 'Those that the scopes and the `claims` parameter of the authorization request asked for.',
  security: ['accessToken'],
  answers: {
    200: {
      description: 'As JSON, or signed (`application/jwt`) where the client is registered so.',
      body: async () => (await shapes()).userinfo,
    },
    400: 'More than one access token, a malformed header, or an origin that is not the client’s.',
    401: { description: 'No access token; or it is forged, expired, ended, or for an API alone.', headers: challenge },
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
        'An access token with the scope openid: an opaque one, or a JWT whose audience names ISSUER/userinfo as well.',
    },
  },
  table: {
    [routes.token]: {
      POST: {
        summary: 'Get tokens',
        description: `For a code, a refresh token, or the client itself. ${ways}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).tokenForm,
        answers: {
          200: { description: 'The tokens.', body: async () => (await shapes()).tokens },
          400: {
            description: 'The grant is not valid, or the request is wrong in itself (RFC 6749, section 5.2).',
            body: tokenFailure,
          },
          401: { description: badClient, body: tokenFailure },
          413: { description: tooLarge, body: tokenFailure },
          429: { ...tooMany, body: tokenFailure },
          503: { description: away, body: tokenFailure },
        },
      },
    },
    [routes.userinfo]: {
      GET: userinfo,
      POST: {
        ...userinfo,
        description: `${userinfo.description} The token may be in the form instead of the header (RFC 6750, section 2.2).`,
        security: ['accessToken', 'nobody'],
        answers: { ...userinfo.answers, 413: tooLarge },
      },
    },
    [routes.introspection]: {
      POST: {
        summary: 'Ask about a token',
        description: `Of the client itself, or of an API that names it as an introspector (RFC 7662). ${likewise}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).tokenToAskAbout,
        answers: {
          200: {
            description: 'What it stands for; only `active: false` for any token that the client may not ask about.',
            body: async () => (await shapes()).introspection,
          },
          400: 'The request is wrong in itself.',
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
        description: `With a person's token goes the whole grant (RFC 7009); a client's own ends alone. ${likewise}`,
        security: client,
        bodyType: 'form',
        body: async () => (await shapes()).tokenToAskAbout,
        answers: {
          200: {
            description: 'It is revoked, or the client has no such token: an empty object.',
            body: async () => (await shapes()).nothing,
          },
          400: 'The request is wrong in itself.',
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
        description: 'Those that sign now, will sign next, or have signed what may still be valid (RFC 7517).',
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
