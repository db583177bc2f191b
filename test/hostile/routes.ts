/**
 * The routes of every API, from the route table, as targets. A route that neither targets.ts attacks nor
 * test/support/good-calls.ts has a right call for ends the run.
 */
import type { App } from '../../src/app.ts';
import type { Good, Target } from './targets.ts';

export interface Route {
  readonly method: string;
  /** With its parameters in braces, as in the OpenAPI document. */
  readonly path: string;
  /** The API it belongs to, as in `SURFACES`. */
  readonly api: string;
  matches(path: string): boolean;
}

/** Those that are named otherwise than their folder. */
const apis: Readonly<Record<string, string>> = { oidc: 'oauth', ops: 'ops', gateway: 'gateway' };

export function routesOf({ routes }: Pick<App, 'routes'>): Route[] {
  return routes.flatMap(({ path, methods, entry }) => {
    const [folder = '', name = ''] = entry.split('/');
    const api = apis[entry] ?? (folder === 'api' && name !== 'reference' ? name : undefined);
    if (api === undefined) return [];
    const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}$`);
    const own = methods.filter((method) => method !== 'HEAD' && method !== 'OPTIONS');
    return (own.length > 0 ? own : ['GET']).map((method) => ({
      method,
      path: path.replaceAll(/:(\w+)/g, '{$1}'),
      api,
      matches: (other: string) => pattern.test(other),
    }));
  });
}

/** The security service is mounted four times, and one right call serves all of them. */
const rowOf = ({ method, path }: Route): string =>
  `${method} ${path.replace(/^\/(dev|qa|staging)(?=\/security\/)/, '')}`;

/** The rows of good calls that have to be kept good. */
export function rowsFor(routes: readonly Route[], rows: ReadonlySet<string>, targets: Targets, good: Good): string[] {
  const open = routes.filter((route) => !isAttacked(route, targets, good));
  const forgotten = open.filter((route) => !rows.has(rowOf(route)));
  if (forgotten.length > 0) {
    const names = forgotten.map(({ method, path }) => `${method} ${path}`).join(', ');
    throw new Error(
      `nothing is thrown at ${names}: give it a row in test/support/good-calls.ts or a target in test/hostile/targets.ts`,
    );
  }
  return [...new Set(open.map(rowOf))];
}

type Targets = Readonly<Record<string, Target>>;

function isAttacked({ method, matches }: Route, targets: Targets, good: Good): boolean {
  return Object.values(targets).some((target) => target.method === method && matches(target.path(good)));
}

/** One target for each route that has none of its own. */
export function routeTargets(routes: readonly Route[], targets: Targets, good: Good): Targets {
  const open = routes.filter((route) => !isAttacked(route, targets, good));
  return Object.fromEntries(open.map((route) => [`${route.method} ${route.path}`, targetOf(route)]));
}

function targetOf(route: Route): Target {
  const call = ({ calls }: Good) => calls.get(rowOf(route)) ?? {};
  return {
    method: route.method,
    path: (good) => call(good).path ?? route.path,
    query: (good) => call(good).query ?? {},
    form: (good) => call(good).form,
    json: (good) => call(good).json,
    headers: (good) => call(good).headers ?? {},
  };
}
