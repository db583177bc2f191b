/** Input and output schemas of client registration. Loaded by the first request that needs one. */
import { z } from 'zod';

const texts = z.array(z.string('must be an array of strings'), 'must be an array of strings').nullish();
const text = z.string('must be a string').nullish();

/**
 * The members that most clients send. Core checks them, and all others (core/clients/metadata/client-members-shape).
 */
const members = {
  client_name: text.meta({ description: 'The name on the consent page.' }),
  redirect_uris: texts.meta({
    description: 'https, http on loopback, or a private-use scheme. Others are dropped, or refused if none is left.',
  }),
  token_endpoint_auth_method: text.meta({
    description: '`none`, `private_key_jwt`, `client_secret_basic` (the default) or `client_secret_post`.',
  }),
  grant_types: texts.meta({ description: 'Default: `authorization_code` and `refresh_token`. Others are dropped.' }),
  response_types: texts,
  application_type: text.meta({ description: '`native` or `web`. Default: by the redirect URIs.' }),
  scope: text.meta({ description: 'Separated by spaces. Scopes that the client may not have are dropped.' }),
  jwks: z.looseObject({}, 'must be an object').nullish(),
};

const callback = 'http://127.0.0.1:33418/callback';
const example = { client_name: 'Book agent', redirect_uris: [callback], token_endpoint_auth_method: 'none' };

export const metadata = z.looseObject(members).meta({
  id: 'Metadata',
  description: 'Any client metadata of RFC 7591. Null counts as absent.',
  examples: [example],
});

export const replacement = z
  .looseObject({
    client_id: z.string('must be given, as a string').meta({ description: 'As in the address.' }),
    client_secret: text.meta({ description: 'If it is sent, it must be the current one.' }),
    ...members,
  })
  .meta({
    id: 'Replacement',
    description: 'An absent member gets its default (RFC 7592, section 2.2); how the client authenticates stays.',
    examples: [{ client_id: 'kQw4…', ...example }],
  });

export const registered = z
  .looseObject({
    client_id: z.string(),
    client_id_issued_at: z.int().meta({ description: 'Seconds since 1970.' }),
    client_secret: z.string().optional().meta({ description: 'Only in the response that made it.' }),
    client_secret_expires_at: z.int().optional().meta({ description: 'Beside `client_secret`. 0: never.' }),
    registration_access_token: z.string().meta({ description: 'Manages this client, and stays the same.' }),
    registration_client_uri: z.string(),
    dropped: z
      .array(z.string())
      .optional()
      .meta({ description: 'Members and values of the request that are not used.' }),
  })
  .meta({ id: 'Registered', description: 'With all registered metadata.' });

export const failure = z
  .object({
    error: z.string(),
    error_description: z.string(),
    error_uri: z.string().optional().meta({ description: 'The page that explains this refusal.' }),
  })
  .meta({
    id: 'Failure',
    examples: [{ error: 'invalid_redirect_uri', error_description: 'redirect_uris must not have a fragment' }],
  });
