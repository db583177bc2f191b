/** Input and output schemas of this API. Loaded by the first request that needs one. */
import { z } from 'zod';

const said = { code: z.int().meta({ description: 'The HTTP status.' }), message: z.string() };
const jwtAccessToken = z.string().meta({ description: 'For the gateway, together with the client token.' });
const jwtRefreshToken = z.string().meta({ description: 'For refresh and logout; never replaced.' });
const seconds = z.int().meta({ description: 'Seconds since 1970.' });
const tenYears = 10 * 366 * 86_400;

export const done = z.object(said);
export const failure = done.meta({
  id: 'Failure',
  examples: [{ code: 401, message: 'a valid client token is needed' }],
});
export const begun = z.object({ ...said, data: z.object({ jwtAccessToken, jwtRefreshToken }) });
export const refreshed = z.object({ ...said, data: z.object({ jwtAccessToken }) });

export const issue = z
  .object({
    client_id: z.string().min(1),
    label: z
      .string()
      .max(100)
      .regex(/^\P{Cc}*$/u, 'must not contain control characters')
      .default(''),
    expires_in: z.int().min(60).max(tenYears).optional().meta({ description: 'Seconds. Absent: valid until revoked.' }),
  })
  .meta({ examples: [{ client_id: 'XQDvk', label: 'night report', expires_in: 31_536_000 }] });
export const ofClient = z.object({ client_id: z.string().meta({ description: 'The client whose tokens are meant.' }) });

const listed = { id: z.string(), label: z.string(), created_at: seconds, expires_at: seconds.nullable() };
const client_token = z.string().meta({ description: 'Shown only here.' });
export const issued = z.object({ ...said, data: z.object({ ...listed, client_id: z.string(), client_token }) });
export const list = z.object({ ...said, data: z.object({ client_id: z.string(), tokens: z.array(z.object(listed)) }) });
