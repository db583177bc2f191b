/** The question to `/gateway/verify/token` and the refusals of both addresses, for the OpenAPI document. */
import { z } from 'zod';

export const demand = z.object({
  tokens: z
    .string()
    .optional()
    .meta({ description: 'Kinds, with commas: `oauth`, `identity`, `security-service`, `tinyoauth`, `space-guard`.' }),
  audience: z.string().optional().meta({ description: 'The API; needed with `oauth`, and only then.' }),
  scope: z.string().optional().meta({ description: 'Names with one space between them; with `oauth` only.' }),
});

export const failure = z.object({ error: z.string(), error_description: z.string(), reference: z.string() }).meta({
  id: 'Failure',
  examples: [{ error: 'unauthorized', error_description: 'a token is needed here', reference: '75d50fd4-4603' }],
});
