/** The addresses of the engine: those of the OpenAPI document, and those that browsers visit. */
import { apiRoutes } from '../api/kit/endpoints.ts';
import type { Route } from '../http/routes.ts';
import { protocolApi } from './api.ts';
import { routes } from './configuration.ts';

/** Where an authorization continues after the pages. */
export const resumePath = /^\/oauth\/authorize\/[A-Za-z0-9_-]{1,64}$/;

/** Where a device's person continues after the pages. */
export const deviceResumePath = /^\/device\/[A-Za-z0-9_-]{1,64}$/;

const visited = { entry: 'oidc', protocol: 'page' } as const;
const get = ['GET', 'HEAD'];

/** This order keeps the `Allow` header as it was. */
const userinfo = { methods: [...get, 'POST', 'OPTIONS'] };

export const protocolRoutes: readonly Route[] = [
  { ...visited, path: routes.authorization, methods: [...get, 'POST'], access: 'public' },
  { ...visited, path: `${routes.authorization}/:uid`, pattern: resumePath, methods: get, access: 'interaction' },
  { ...visited, path: routes.end_session, methods: [...get, 'POST'], access: 'public' },
  { ...visited, path: `${routes.end_session}/confirm`, methods: ['POST'], access: 'session' },
  { ...visited, path: `${routes.end_session}/success`, methods: get, access: 'public' },
  { ...visited, path: routes.code_verification, methods: [...get, 'POST'], access: 'public' },
  {
    ...visited,
    path: `${routes.code_verification}/:uid`,
    pattern: deviceResumePath,
    methods: get,
    access: 'interaction',
  },
  ...apiRoutes(protocolApi, 'oidc', (path) => ({ protocol: 'json', ...(path === routes.userinfo && userinfo) })),
];
