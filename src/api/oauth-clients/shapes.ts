/** What goes in and out of this API, as schemas. Loaded at the first request that needs one. */
import { z } from 'zod';
import { shape as metadata } from '../../core/clients/client-members-shape.ts';

const given = (sentence: string) => z.string(sentence).min(1, sentence);
const redirectUrl = 'must be given, as a string or an array of strings';

/** RFC 7592, section 2.2: null means the same as leaving a member out. */
const standard: object = Object.fromEntries(
  Object.entries(metadata.shape).map(([name, schema]) => [name, schema.nullish()]),
);

/** The three fields of this API come first: what is wrong with them is said before anything else. */
export const registration = z
  .looseObject({
    app_name: given('must be given, as a string').meta({ description: 'What people are shown when they are asked.' }),
    contact_email: given('must be given, as a string').meta({ description: 'Joined to `contacts`.' }),
    redirect_url: z
      .union([given(redirectUrl), z.array(given(redirectUrl)).min(1, redirectUrl)], redirectUrl)
      .meta({ description: 'Absolute; https, http on loopback, or a private-use scheme. Joined to `redirect_uris`.' }),
    ...standard,
  })
  .meta({
    id: 'Registration',
    description: 'The three fields of this API, and any client metadata of RFC 7591 beside them.',
    examples: [
      { app_name: 'Bookshelf', contact_email: 'team@bookshelf.example', redirect_url: 'http://localhost:8080/cb' },
    ],
  });

const success = z.literal(true);

/** What each member may be is said once, above: the page of this API stays small. */
export const change = z
  .looseObject({ version: z.int('must be a whole number').min(1, 'must be at least 1').optional() })
  .meta({ id: 'Change', description: 'Metadata in the names of RFC 7591, as in Registration; null removes a member.' });

export const changed = z
  .looseObject({ success, client_id: z.string(), version: z.int(), client_secret: z.string().optional() })
  .meta({ id: 'Changed', description: 'With all metadata. `client_secret`: where the change made one necessary.' });

export const registered = z
  .looseObject({
    success,
    client_id: z.string(),
    client_secret: z
      .string()
      .nullable()
      .meta({ description: 'Shown here and nowhere else. Null: the client authenticates without one.' }),
    redirect_url: z.union([z.string(), z.array(z.string())]).meta({ description: 'As it was sent.' }),
    dropped: z
      .array(z.string())
      .optional()
      .meta({ description: 'What is not used; what is registered stands beside it.' }),
  })
  .meta({ id: 'Registered' });

export const userInfoQuery = z.object({
  username: z.string().optional().meta({ description: 'Whose information; that of the token’s own person, if any.' }),
});

const ada = { first_name: 'Ada', last_name: 'Lovelace', username: 'ada', two_factor: false, verified: true };

export const userInfo = z
  .object({
    success,
    user_data: z.object({
      first_name: z.string(),
      last_name: z.string(),
      username: z.string(),
      two_factor: z.boolean().meta({ description: 'Whether a second factor is asked for.' }),
      verified: z.boolean().meta({ description: 'Whether the e-mail address is known to be theirs.' }),
      email: z.string().meta({ description: 'Empty where there is none.' }),
    }),
    timestamp: z.int().meta({ description: 'Seconds since 1970.' }),
  })
  .meta({
    id: 'UserInfo',
    examples: [{ success: true, user_data: { ...ada, email: 'ada@example.org' }, timestamp: 1734286255 }],
  });

export const reloaded = z
  .object({ success, clients_loaded: z.int().meta({ description: 'How many there are.' }) })
  .meta({ id: 'Reloaded' });

export const failure = z.object({ success: z.literal(false), error: z.string(), error_description: z.string() }).meta({
  id: 'Failure',
  examples: [{ success: false, error: 'invalid_request', error_description: 'the body is not valid JSON' }],
});
