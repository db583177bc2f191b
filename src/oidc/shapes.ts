/** The forms and responses of the protocol's JSON endpoints, for the OpenAPI document. */
import { z } from 'zod';
import { deviceGrant } from '../core/clients/metadata/device-grant.ts';

const clientMembers = {
  client_id: z.string().optional().meta({ description: 'Required unless the client authenticates with HTTP Basic.' }),
  client_secret: z.string().optional(),
  client_assertion_type: z.string().optional(),
  client_assertion: z.string().optional().meta({ description: 'A JWT signed by the client (RFC 7523).' }),
};

export const tokenForm = z
  .object({
    grant_type: z.enum(['authorization_code', 'refresh_token', 'client_credentials', deviceGrant]),
    code: z.string().optional(),
    authorization_code: z.string().optional().meta({ description: 'An alias of `code`.' }),
    redirect_uri: z.string().optional().meta({ description: 'Optional if only one is registered.' }),
    code_verifier: z.string().optional().meta({ description: 'PKCE (RFC 7636).' }),
    refresh_token: z.string().optional(),
    device_code: z.string().optional().meta({ description: 'From the device authorization endpoint (RFC 8628).' }),
    scope: z.string().optional().meta({ description: 'A subset of the granted scopes, separated by one space.' }),
    resource: z.string().optional().meta({
      description: 'The API that the token is for (RFC 8707). Default: the granted API, or the API that has the scope.',
    }),
    audience: z.string().optional().meta({ description: 'An alias of `resource`.' }),
    ...clientMembers,
  })
  .meta({ id: 'TokenRequest', examples: [{ grant_type: 'authorization_code', code: 'kQw4…' }] });

export const pushForm = z
  .looseObject({
    response_type: z.literal('code'),
    redirect_uri: z.string().optional().meta({ description: 'Optional if only one is registered.' }),
    scope: z.string().optional(),
    state: z.string().optional(),
    nonce: z.string().optional(),
    code_challenge: z.string().optional().meta({ description: 'PKCE (RFC 7636).' }),
    code_challenge_method: z.literal('S256').optional(),
    resource: z.string().optional().meta({ description: 'The API that the token is for (RFC 8707).' }),
    ...clientMembers,
  })
  .meta({
    id: 'PushedRequest',
    description: 'Also takes every other parameter of the authorization endpoint, except `request_uri`.',
    examples: [{ response_type: 'code', client_id: 'bookshelf', scope: 'openid' }],
  });

export const pushed = z
  .object({
    request_uri: z.string().meta({ description: 'For the authorization endpoint, once.' }),
    expires_in: z.int().meta({ description: 'Seconds in which the browser must bring it.' }),
  })
  .meta({
    id: 'Pushed',
    examples: [{ request_uri: 'urn:ietf:params:oauth:request_uri:V1StGXR8_Z5jdHi6B-myT', expires_in: 60 }],
  });

export const deviceForm = z
  .object({
    scope: z.string().optional().meta({
      description: 'Scopes, separated by one space. Default: the default scopes of the API, or `user`.',
    }),
    resource: z.string().optional().meta({ description: 'The API that the token is for (RFC 8707). May be repeated.' }),
    audience: z.string().optional().meta({ description: 'An alias of `resource`.' }),
    ...clientMembers,
  })
  .meta({ id: 'DeviceRequest', examples: [{ client_id: 'tv', scope: 'openid offline_access' }] });

export const deviceCodes = z
  .object({
    device_code: z.string().meta({ description: 'For the device alone: it polls the token endpoint with it.' }),
    user_code: z.string().meta({ description: 'The device shows it, as `BCDF-GHJK`.' }),
    verification_uri: z.string().meta({ description: 'The page where the person enters the code.' }),
    verification_uri_complete: z.string().meta({ description: 'The same page with the code, for a QR code.' }),
    expires_in: z.int().meta({ description: 'Seconds.' }),
    interval: z.int().meta({ description: 'Seconds between two polls.' }),
  })
  .meta({
    id: 'DeviceCodes',
    examples: [
      {
        device_code: 'Vh3m…',
        user_code: 'WDJB-MJHT',
        verification_uri: 'https://login.example/device',
        verification_uri_complete: 'https://login.example/device?user_code=WDJB-MJHT',
        expires_in: 600,
        interval: 5,
      },
    ],
  });

export const tokens = z
  .object({
    success: z.literal(true).optional().meta({ description: 'Only for clients of `POST /clients/register`.' }),
    access_token: z.string(),
    token_type: z.enum(['Bearer', 'DPoP']),
    expires_in: z.int().meta({ description: 'Seconds.' }),
    refresh_token: z.string().optional(),
    id_token: z.string().optional().meta({ description: 'If the scope `openid` was granted.' }),
    scope: z.string().optional(),
    username: z.string().optional().meta({
      description: 'If `user` or `profile` was granted, or as for `success`.',
    }),
    expiry: z.int().optional().meta({
      description: 'When the access token expires, in seconds since 1970. As for `success`.',
    }),
  })
  .meta({
    id: 'Tokens',
    examples: [
      {
        success: true,
        access_token: 'eyJ…',
        token_type: 'Bearer',
        expires_in: 600,
        refresh_token: 'Zb1…',
        scope: 'user',
        username: 'ada',
        expiry: 1734285694,
      },
    ],
  });

export const tokenToAskAbout = z
  .object({
    token: z.string().min(1),
    token_type_hint: z.string().optional().meta({ description: '`access_token` or `refresh_token`.' }),
    ...clientMembers,
  })
  .meta({ id: 'TokenToAskAbout' });

export const introspection = z
  .looseObject({
    active: z.boolean(),
    scope: z.string().optional(),
    client_id: z.string().optional(),
    sub: z.string().optional(),
    aud: z.union([z.string(), z.array(z.string())]).optional(),
    token_type: z.string().optional(),
    gid: z.string().optional().meta({ description: 'The grant under which a user’s token was issued.' }),
    exp: z.int().optional().meta({ description: 'Seconds since 1970.' }),
  })
  .meta({ id: 'Introspection', examples: [{ active: false }] });

export const nothing = z.object({}).meta({ id: 'Nothing', examples: [{}] });

export const userinfo = z
  .looseObject({ sub: z.string().meta({ description: 'The subject of the user, for this client.' }) })
  .meta({ id: 'Claims', examples: [{ sub: 'u7Gk…', name: 'Ada Lovelace', email: 'ada@example.org' }] });

export const keySet = z
  .object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string() })) })
  .meta({ id: 'KeySet' });

export const metadata = z
  .looseObject({
    issuer: z.string(),
    authorization_endpoint: z.string(),
    token_endpoint: z.string(),
    jwks_uri: z.string(),
  })
  .meta({ id: 'Metadata', description: 'Also has the other members of the standards.' });

/** RFC 6749, section 5.2. */
const error = {
  error: z.string(),
  error_description: z.string().optional(),
  error_uri: z.string().optional().meta({ description: 'The page that explains this refusal.' }),
};
const failureExample = { error: 'invalid_request', error_description: 'a form is expected' };

export const failure = z.looseObject(error).meta({ id: 'Failure', examples: [failureExample] });

export const tokenFailure = z
  .looseObject({
    success: z
      .literal(false)
      .optional()
      .meta({ description: 'For clients of `POST /clients/register`, and if the client is not identified.' }),
    ...error,
  })
  .meta({ id: 'TokenFailure', examples: [{ success: false, ...failureExample }] });
