/** The form of an API in an admin's request. */
import { z } from 'zod';
import { isLoopbackHost } from '../../base/loopback.ts';
import { identityScopes } from '../kernel/identity-scopes.ts';

const text = (most: number, what: string) =>
  z
    .string(`${what} must be a string`)
    .min(1, `${what} must not be empty`)
    .max(most, `${what} must not be longer than ${most} characters`)
    .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), `${what} must not contain control characters`);

const mark = (name: string) => z.boolean(`${name} of a scope must be true or false`).default(false);

const members = z.object(
  {
    // RFC 8707, section 2: an absolute URI without a fragment, compared as written.
    identifier: text(512, 'identifier').refine(
      (value) =>
        /^[A-Za-z][A-Za-z0-9+.-]*:[\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+$/.test(value) &&
        !value.includes('#') &&
        URL.canParse(value),
      'identifier must be an absolute URI without a fragment',
    ),
    name: text(100, 'name'),
    scopes: z
      .array(
        z.object(
          {
            // RFC 6749, section 3.3.
            name: text(100, 'a scope name')
              .regex(
                /^[\x21\x23-\x5b\x5d-\x7e]+$/,
                'a scope name must be printable ASCII without spaces, quotes or backslashes',
              )
              .refine((value) => !identityScopes.has(value), 'a scope name must not be one of OpenID Connect'),
            sentence: text(200, 'a scope sentence'),
            default: mark('default'),
            optional: mark('optional'),
            held: mark('held'),
            bearer: mark('bearer'),
          },
          'scopes must contain objects with name and sentence',
        ),
        'scopes must be an array',
      )
      .min(1, 'scopes must not be empty')
      .max(200, 'scopes must not have more than 200 members')
      .refine(
        (scopes) => new Set(scopes.map(({ name }) => name)).size === scopes.length,
        'scopes must not repeat a name',
      ),
    tokenFormat: z.enum(['jwt', 'opaque'], 'tokenFormat must be jwt or opaque').default('jwt'),
    tokenTyp: z.enum(['at+jwt', 'JWT'], 'tokenTyp must be at+jwt or JWT').default('at+jwt'),
    signingAlg: z.enum(['ES256', 'RS256'], 'signingAlg must be ES256 or RS256').default('ES256'),
    tokenLifetime: z
      .int('tokenLifetime must be a whole number of seconds')
      .min(1, 'tokenLifetime must be at least 1')
      .max(86_400, 'tokenLifetime must be at most 86400')
      .nullable()
      .default(null),
    introspectors: z
      .array(text(128, 'an introspector'), 'introspectors must be an array of client ids')
      .max(100, 'introspectors must not have more than 100 members')
      .default([]),
    mcpServer: z.boolean('mcpServer must be true or false').default(false),
  },
  'the API must be a JSON object',
);

/** Agents know an MCP server by its address only, and many send no `scope` (mcp authorization, 2026-07-28). */
export const apiShape = members
  .refine(
    ({ mcpServer, identifier }) => !mcpServer || isAddress(identifier),
    'identifier of an MCP server must be its address: https, or http on loopback, without a query',
  )
  .refine(
    ({ mcpServer, scopes }) => !mcpServer || scopes.some((scope) => scope.default && !scope.held),
    'an MCP server needs a default scope, because agents send requests without scope',
  );

function isAddress(identifier: string): boolean {
  const url = URL.parse(identifier);
  if (url === null || url.search !== '' || url.username + url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname));
}
