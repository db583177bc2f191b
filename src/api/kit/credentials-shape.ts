/** A name and a password in a JSON body: of somebody who signs in, and of a new account. */
import { z } from 'zod';

export const credentials = z
  .object({ username: z.string().min(1), password: z.string().min(1) })
  .meta({ examples: [{ username: 'ada', password: 'seven lemons under glass' }] });
