/** Input and output schemas of this API. Loaded by the first request that needs one. */
import { z } from 'zod';

export const signedIn = z.object({
  username: z.string(),
  token: z.string(),
  expirationDate: z.int().meta({ description: 'Milliseconds since 1970.' }),
});

export const tokenBody = z.object({ token: z.string() });

export const created = z.object({ id: z.int() });

export const failure = z
  .object({
    error: z.object({
      code: z.int().meta({ description: 'The HTTP status.' }),
      message: z.string(),
      detail: z.unknown().optional().meta({ description: 'Further details, if there are any.' }),
    }),
  })
  .meta({ id: 'Failure', examples: [{ error: { code: 401, message: 'the username or the password is wrong' } }] });
