/**
 * Routes as data, and the one matcher for them. Each entry point lists its addresses. The combined table serves
 * requests, answers HEAD, OPTIONS and 405, labels metrics, and tells the gateway which prefixes are taken.
 *
 * Protocol addresses never reach Koa: the front door looks them up here and passes them to the engine.
 */
import type { Context, Middleware, Next } from 'koa';
import Router from 'koa-router';
import { Refusal } from '../base/errors.ts';
import type { IsDeveloper } from './developer.ts';

export type Handle = (ctx: Context, next: Next) => unknown;

export interface Route {
  /** Parameters are written `:name`. */
  readonly path: string;
  /** The value of `Allow`. If empty, every method gets the same response. */
  readonly methods: readonly string[];
  /** Who may call it: an `Access`, or security schemes of the OpenAPI document. */
  readonly access: string;
  /** The folder of the code that answers. */
  readonly entry: string;
  /** If absent, the route is always served. If the condition is false, the address stays reserved. */
  readonly when?: Condition | undefined;
  /** By method; GET also answers HEAD. If absent, the engine or the gateway answers, before Koa. */
  readonly handlers?: Readonly<Record<string, Handle>>;
  /** Runs around the handler, to format errors for its API. */
  readonly frame?: (ctx: Context, act: () => unknown) => Promise<void>;
  /** The engine answers: `page` to browsers, `json` to programs. */
  readonly protocol?: 'page' | 'json';
  /** The spellings of a protocol address with a parameter; all others are unknown. */
  readonly pattern?: RegExp;
  /** The address that this route is an alias of. */
  readonly sameAs?: string;
}

/** A second address for a route of another entry point. */
export type Alias = Required<Pick<Route, 'path' | 'entry' | 'sameAs'>>;

interface Condition {
  readonly holds: boolean;
  /** For the documents, such as `in development`. */
  readonly says: string;
}

/** Who may call a page. The table itself enforces `developer`; the handlers enforce the rest. */
type Access = 'public' | 'link' | 'interaction' | 'session' | 'developer' | 'operator';

/** A page: GET shows it, POST takes its form. */
interface PageRow {
  readonly path: string;
  readonly access: Access;
  readonly when?: Condition;
  readonly GET?: Handle | undefined;
  readonly POST?: Handle | undefined;
}

/** Rows of one path become one route. */
export function pageRoutes(entry: string, rows: readonly PageRow[]): readonly Route[] {
  const routes = new Map<string, Route>();
  for (const { path, access, when, GET, POST } of rows) {
    const handlers = { ...routes.get(path)?.handlers, ...(GET && { GET }), ...(POST && { POST }) };
    const methods = ['HEAD', 'GET', 'POST'].filter((method) => (method === 'HEAD' ? 'GET' : method) in handlers);
    routes.set(path, { path, methods, access, entry, when, handlers });
  }
  return [...routes.values()];
}

export interface RouteTable {
  /** All routes, including those that a setting or the mode disables. */
  readonly routes: readonly Route[];
  at(path: string): Route | undefined;
  /** The values of the route's parameters in `path`. */
  parameters(route: Route, path: string): object;
}

/** Throws if two routes have the same address, or the target of an alias does not exist. */
export function createRouteTable(rows: readonly (Route | Alias)[]): RouteTable {
  const routes = rows.map((row) => ('methods' in row ? row : named(row, rows)));
  const literal = new Map<string, Route>();
  for (const route of routes) {
    if (literal.has(route.path)) throw new Error(`two routes have the address ${route.path}`);
    literal.set(route.path, route);
  }
  const layers = new Map<Route, Router.Layer>();
  /** Routes with parameters, by the first segment of their path. */
  const below = new Map<string, Route[]>();
  const router = new Router({ strict: true, sensitive: true });
  for (const route of routes) {
    const { path, when } = route;
    const isServed = when?.holds !== false;
    if (isServed && !path.includes(':')) continue;
    literal.delete(path);
    if (!isServed) continue;
    layers.set(route, router.register(path, [], []));
    below.set(firstOf(path), [...(below.get(firstOf(path)) ?? []), route]);
  }
  const takes = (route: Route, path: string): boolean =>
    (route.pattern ?? layers.get(route)?.regexp)?.test(path) === true;
  return {
    routes,
    at: (path) => literal.get(path) ?? below.get(firstOf(path))?.find((route) => takes(route, path)),
    parameters(route, path) {
      const layer = layers.get(route);
      return layer ? layer.params(path, layer.captures(path)) : {};
    },
  };
}

/** Returns `/interaction` for `/interaction/:uid`. */
function firstOf(path: string): string {
  const end = path.indexOf('/', 1);
  return end === -1 ? path : path.slice(0, end);
}

function named({ path, entry, sameAs }: Alias, rows: readonly (Route | Alias)[]): Route {
  const route = rows.find((row): row is Route => row.path === sameAs && 'methods' in row);
  if (!route || sameAs.includes(':')) throw new Error(`${path} is an alias of the unknown route ${sameAs}`);
  return { ...route, path, entry, sameAs };
}

/** Answers every route with handlers; leaves other addresses to `next`. */
export function serveRoutes({ at, parameters }: RouteTable, isDeveloper: IsDeveloper): Middleware {
  function answer(ctx: Context, next: Next, route: Route): unknown {
    if (!route.handlers || (route.access === 'developer' && !isDeveloper(ctx.req))) return next();
    const act = () => {
      const handle = handlerOf(route, ctx.method);
      if (handle) return handle(ctx, next);
      const allow = route.methods.join(', ');
      const place = route.frame ? 'endpoint' : 'address';
      throw new Refusal('method_not_allowed', `this ${place} takes ${allow}`, { Allow: allow });
    };
    return route.frame ? route.frame(ctx, act) : act();
  }

  return (ctx, next) => {
    const route = at(ctx.path);
    if (!route) return next();
    ctx.params = parameters(route, ctx.path);
    return answer(ctx, next, route);
  };
}

function handlerOf({ methods, handlers = {} }: Route, method: string): Handle | undefined {
  if (!methods.includes(method)) return undefined;
  return handlers[method === 'HEAD' ? 'GET' : method] ?? ((ctx) => sayMethods(ctx, methods));
}

/** Answers OPTIONS if the route has no handler for it. */
function sayMethods(ctx: Context, methods: readonly string[]): void {
  ctx.set('Allow', methods.join(', '));
  ctx.status = 204;
}
