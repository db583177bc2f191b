/** A username and a password in a JSON body, for sign-in and sign-up. */
import { z } from 'zod';

export const credentials = z
  .object({ username: z.string().min(1), password: z.string().min(1) })
  .meta({ examples: [{ username: 'ada', password: 'seven lemons under glass' }] });
