/**
 * The OpenAPI document of the gateway's own addresses. Forwarded addresses belong to the documents of their services.
 */
import { type Api, apiRoutes } from '../api/kit/endpoints.ts';
import type { Description } from '../api/kit/operation.ts';
import { resourceMetadataPath } from '../core/apis/resource-metadata.ts';
import type { Route } from '../http/routes.ts';
import { byDemand, byTable } from './verify.ts';

const shapes = () => import('./verify-shape.ts');

const answers = {
  200: {
    description: 'The request may pass. The headers name its sender; headers that do not apply are empty.',
    headers: {
      'X-Gatehouse-Token-Kind': 'The kind of the token.',
      'X-Gatehouse-Subject': 'The subject of the user.',
      'X-Gatehouse-Username': 'The name of the user.',
      'X-Gatehouse-Client': 'The client ID.',
      'X-Gatehouse-Scope': 'The scope of the token.',
      'X-Gatehouse-Session': 'The session ID.',
      'DPoP-Nonce': 'For the next DPoP proof, if the token came with one.',
    },
  },
  401: {
    description: 'The request has no token, or its token is not valid here.',
    headers: { 'WWW-Authenticate': 'A Bearer or DPoP challenge (RFC 6750, RFC 9449).' },
  },
  403: {
    description: 'The token lacks a scope, the question is malformed, or no route matches.',
    headers: { 'X-Gatehouse-Reason': 'The error code; absent if the token lacks a scope.' },
  },
  503: 'The database is unavailable.',
} as const;

const metadata = (summary: string): Description => ({
  summary,
  description: 'Public, cacheable, and open to every origin (RFC 9728).',
  answers: {
    200: {
      description: 'The API, its scopes, and this server as the one that issues its tokens.',
      body: async () => (await shapes()).metadata,
    },
    404: 'There is no such resource, or several could be meant.',
  },
});

export const gatewayApi: Api = {
  name: 'gateway',
  title: 'Gateway',
  about: 'For a proxy that forwards requests itself and asks here who sent a request and whether it may pass.',
  failure: async () => (await shapes()).failure,
  schemes: {
    token: {
      type: 'http',
      scheme: 'bearer',
      description: 'The token of the request in question, of any kind that its route or the query allows.',
    },
  },
  table: {
    [byTable]: {
      GET: {
        summary: 'Check a request against the route table',
        description:
          'Every method gets the same response. The proxy names the request in headers, and the route table decides. A query is refused, because it may come from the caller.',
        security: ['token', 'public'],
        headers: {
          'X-Original-Method': 'The method of the request in question (nginx).',
          'X-Original-URI': 'Its path and query (nginx).',
          'X-Forwarded-Method': 'Its method (Traefik, Caddy).',
          'X-Forwarded-Uri': 'Its path and query (Traefik, Caddy).',
        },
        answers,
      },
    },
    [byDemand]: {
      GET: {
        summary: 'Check a token against a demand',
        description:
          'Every method gets the same response. The query says what the token must be; no route table is needed.',
        security: ['token', 'public'],
        query: async () => (await shapes()).demand,
        answers,
      },
    },
    [resourceMetadataPath]: { GET: metadata('Metadata of the only API behind the gateway, or of the user API') },
    [`${resourceMetadataPath}/{path}`]: {
      GET: metadata('Metadata of the user API, or of the route with this prefix'),
    },
  },
};

/** The prefix of a route may have several segments. */
const belowMetadata = new RegExp(`^${resourceMetadataPath.replaceAll('.', '\\.')}/`);

export const gatewayRoutes: readonly Route[] = apiRoutes(gatewayApi, 'gateway', (path) => {
  if (!path.startsWith(resourceMetadataPath)) return { methods: [] };
  return path === resourceMetadataPath ? {} : { pattern: belowMetadata };
});
