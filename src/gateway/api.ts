/** What the OpenAPI document says of the gateway's own address. What it forwards is described by whoever answers it. */
import { type Api, apiRoutes } from '../api/kit/endpoints.ts';
import type { Route } from '../http/routes.ts';
import { byDemand, byTable } from './verify.ts';

const shapes = () => import('./verify-shape.ts');

const answers = {
  200: {
    description: 'It may. Who sent it is in the headers; those that do not apply are empty.',
    headers: {
      'X-Gatehouse-Token-Kind': 'What kind of token it was.',
      'X-Gatehouse-Subject': 'The person.',
      'X-Gatehouse-Username': 'Their name.',
      'X-Gatehouse-Client': 'The client.',
      'X-Gatehouse-Scope': 'What it may do.',
      'X-Gatehouse-Session': 'The session.',
    },
  },
  401: {
    description: 'There is no token, or none that is good here.',
    headers: { 'WWW-Authenticate': 'A Bearer challenge (RFC 6750, section 3).' },
  },
  403: {
    description: 'The token may not do this; or the question is not understood, or no route fits.',
    headers: { 'X-Gatehouse-Reason': 'What is wrong with the question.' },
  },
  503: 'The database does not answer.',
} as const;

export const gatewayApi: Api = {
  name: 'gateway',
  title: 'Gateway',
  about: 'For a proxy that forwards by itself, and asks here who sent a request and whether they may.',
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
        summary: 'May this request pass',
        description:
          'Any method is answered alike. The proxy names the request in headers, and the route table decides. A query is refused: it may be the caller’s.',
        security: ['token', 'nobody'],
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
        summary: 'Is this token good for that',
        description: 'Any method is answered alike. The query says what is due; there need be no route table.',
        security: ['token', 'nobody'],
        query: async () => (await shapes()).demand,
        answers,
      },
    },
  },
};

export const gatewayRoutes: readonly Route[] = apiRoutes(gatewayApi, 'gateway', () => ({ methods: [] }));
