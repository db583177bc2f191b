/** Input and output schemas of this API. Loaded by the first request that needs one. */
import { z } from 'zod';
import { shape as metadata } from '../../core/clients/metadata/client-members-shape.ts';

const given = (sentence: string) => z.string(sentence).min(1, sentence);
const redirectUrl = 'must be given, as a string or an array of strings';

/** Null means that the member is omitted (RFC 7592, section 2.2). */
const standard: object = Object.fromEntries(
  Object.entries(metadata.shape).map(([name, schema]) => [name, schema.nullish()]),
);

/** The three fields of this API come first, so their errors are reported first. */
export const registration = z
  .looseObject({
    app_name: given('must be given, as a string').meta({ description: 'The name on the consent page.' }),
    contact_email: given('must be given, as a string').meta({ description: 'Added to `contacts`.' }),
    redirect_url: z
      .union([given(redirectUrl), z.array(given(redirectUrl)).min(1, redirectUrl)], redirectUrl)
      .meta({ description: 'Absolute; https, http on loopback, or a private-use scheme. Added to `redirect_uris`.' }),
    ...standard,
  })
  .meta({
    id: 'Registration',
    description: 'The three fields of this API, and any client metadata of RFC 7591.',
    examples: [
      { app_name: 'Bookshelf', contact_email: 'team@bookshelf.example', redirect_url: 'http://localhost:8080/cb' },
    ],
  });

const success = z.literal(true);

/** The members are described once, in Registration, which keeps the page of this API small. */
export const change = z
  .looseObject({ version: z.int('must be a whole number').min(1, 'must be at least 1').optional() })
  .meta({ id: 'Change', description: 'Metadata in the names of RFC 7591, as in Registration; null removes a member.' });

export const changed = z
  .looseObject({ success, client_id: z.string(), version: z.int(), client_secret: z.string().optional() })
  .meta({ id: 'Changed', description: 'With all metadata. `client_secret`: if the change required a new one.' });

export const registered = z
  .looseObject({
    success,
    client_id: z.string(),
    client_secret: z
      .string()
      .nullable()
      .meta({ description: 'Shown only here. Null: the client authenticates without a secret.' }),
    redirect_url: z.union([z.string(), z.array(z.string())]).meta({ description: 'As sent.' }),
    dropped: z
      .array(z.string())
      .optional()
      .meta({ description: 'Members of the request that were ignored. The registered metadata is included.' }),
  })
  .meta({ id: 'Registered' });

export const userInfoQuery = z.object({
  username: z.string().optional().meta({ description: 'Must be the person of the token.' }),
});

const ada = { first_name: 'Ada', last_name: 'Lovelace', username: 'ada', two_factor: false, verified: true };

export const userInfo = z
  .object({
    success,
    user_data: z.object({
      first_name: z.string(),
      last_name: z.string(),
      username: z.string(),
      two_factor: z.boolean().meta({ description: 'Whether the person has a second factor.' }),
      verified: z.boolean().meta({ description: 'Whether the e-mail address is confirmed.' }),
      email: z.string().meta({ description: 'Empty if there is none.' }),
    }),
    timestamp: z.int().meta({ description: 'Seconds since 1970.' }),
  })
  .meta({
    id: 'UserInfo',
    examples: [{ success: true, user_data: { ...ada, email: 'ada@example.org' }, timestamp: 1734286255 }],
  });

export const reloaded = z
  .object({ success, clients_loaded: z.int().meta({ description: 'The number of clients.' }) })
  .meta({ id: 'Reloaded' });

export const failure = z.object({ success: z.literal(false), error: z.string(), error_description: z.string() }).meta({
  id: 'Failure',
  examples: [{ success: false, error: 'invalid_request', error_description: 'the body is not valid JSON' }],
});
