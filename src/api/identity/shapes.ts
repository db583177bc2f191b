/** Input and output schemas of this API. Loaded by the first request that needs one. */
import { z } from 'zod';

const text = z.string();
const uid = z.string().meta({ description: 'The username.' });
const timestamp = z.number().meta({ description: 'Seconds since 1970, with a fraction.' });
const success = { ok: z.literal(true), timestamp };

const times = { iat: z.int(), exp: z.int() };
const payload = z
  .object({ iss: text, aud: text, sub: text, sid: text, session: text, ...times, uid, jti: text })
  .meta({ id: 'Payload', description: 'The claims of the JWT. `sid` changes with each refresh; `session` does not.' });

export const registered = z.object({ uid, reg_date: z.int(), ...success });

const refreshToken = z.string().regex(/^[0-9a-f]{64}$/);
export const signedIn = z
  .object({ jwt: z.object({ token: text, refresh_token: refreshToken, payload }), uid, ...success })
  .meta({ id: 'SignedIn' });

export const loggedOut = z.object({ logged_out: z.literal(true), token: text, uid, ...success });

export const newPassword = z
  .object({
    new_password: z.string(),
    kill_sessions: z.boolean().optional().meta({ description: 'Ends all sessions of the person.' }),
  })
  .meta({ examples: [{ new_password: 'nine pears above water', kill_sessions: false }] });

export const changed = z.object({ changed_password: z.literal(true), killed_sessions: z.boolean(), ...success });

export const verified = z.object({ valid: z.literal(true), payload, ...success });

export const failure = z
  .object({ ok: z.literal(false), message: text, timestamp })
  .meta({ id: 'Failure', examples: [{ ok: false, message: 'incorrect credentials', timestamp: 1562185055.7065 }] });
