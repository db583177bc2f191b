/** Input and output schemas of this API. Loaded by the first request that needs one. */
import { z } from 'zod';
import { isPlainText } from '../../core/kernel/names.ts';

const result = z.literal('succeeded');
const failed = z.literal('failed');
const token = z.null();

export const done = z.object({ result });
export const loginAnswer = z.union([z.object({ result, token: z.string() }), z.object({ result: failed, token })]);
export const failure = z
  .object({ result: failed, reason: z.string(), token: token.optional().meta({ description: 'At /login only.' }) })
  .meta({ id: 'Failure', examples: [{ result: 'failed', reason: 'the body is not valid JSON' }] });

export const application = z
  .object({
    name: z.string().min(1).meta({ description: 'The name on the consent page.' }),
    redirect_uri: z.string().min(1).meta({ description: 'https, http on loopback, or a private-use scheme.' }),
  })
  .meta({ examples: [{ name: 'Bookshelf', redirect_uri: 'http://localhost:8080/callback' }] });

export const registered = z.object({
  result,
  client_id: z.string(),
  client_secret: z.string().meta({ description: 'Shown only here.' }),
});

/**
 * All parameters of the engine's endpoint, also those it refuses: a parameter that is missing here would be ignored.
 */
const parameters = [
  'response_type',
  'client_id',
  'redirect_uri',
  'state',
  'scope',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'resource',
  'claims',
  'max_age',
  'prompt',
  'response_mode',
  'login_hint',
  'id_token_hint',
  'acr_values',
  'display',
  'ui_locales',
  'claims_locales',
  'request',
  'request_uri',
  'registration',
];
const parameter = z.string().refine(isPlainText, 'must not contain U+0000').optional();
export const authorization = z.object(Object.fromEntries(parameters.map((name) => [name, parameter])));
