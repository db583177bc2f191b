/** Response schemas of the health endpoints, for the OpenAPI document. */
import { z } from 'zod';

export const alive = z.object({ status: z.literal('alive') });
export const ready = z.object({ status: z.literal('ready') });
export const notReady = z.object({ status: z.enum(['draining', 'database']) });
export const failure = z
  .object({ error: z.string(), error_description: z.string(), error_uri: z.string().optional() })
  .meta({ id: 'Failure' });
