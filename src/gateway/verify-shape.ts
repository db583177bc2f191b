/** The query of `/gateway/verify/token` and the refusals of both addresses, for the OpenAPI document. */
import { z } from 'zod';

export const demand = z.object({
  tokens: z.string().optional().meta({
    description: 'Kinds, separated by commas: `oauth`, `identity`, `security-service`, `tinyoauth`, `space-guard`.',
  }),
  audience: z
    .string()
    .optional()
    .meta({ description: 'The identifier of the API; required with `oauth`, and only then.' }),
  scope: z.string().optional().meta({ description: 'Scopes, separated by one space; with `oauth` only.' }),
});

export const failure = z.object({ error: z.string(), error_description: z.string(), reference: z.string() }).meta({
  id: 'Failure',
  examples: [{ error: 'unauthorized', error_description: 'a token is needed here', reference: '75d50fd4-4603' }],
});

/** RFC 9728, section 2. */
export const metadata = z
  .looseObject({
    resource: z.string(),
    authorization_servers: z.array(z.string()),
    scopes_supported: z.array(z.string()),
    bearer_methods_supported: z.array(z.string()),
    resource_name: z.string(),
  })
  .meta({ id: 'ResourceMetadata' });
