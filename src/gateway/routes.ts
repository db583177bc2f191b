/** The route table in use: immutable, and replaced as a whole when the file is read again. */
import { isIP } from 'node:net';
import type { PersonKind } from '../core/tokens/token-kinds.ts';
import type { Strips } from './header-names.ts';

/** The kinds of token that a route may accept. */
export type TokenName = 'oauth' | PersonKind | 'space-guard';
export const tokenNames = ['oauth', 'identity', 'security-service', 'tinyoauth', 'space-guard'] as const;

export interface Upstream {
  readonly protocol: 'http:' | 'https:';
  /** A name or an address; an IPv6 address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The value of the `Host` header. */
  readonly host: string;
  /** The path of the upstream's URL, without a trailing slash. */
  readonly basePath: string;
}

/** The token that a route, or a request to /gateway/verify/token, requires. */
export interface Demand {
  readonly tokens: readonly TokenName[];
  /** The identifier of the API; set if `tokens` has `oauth`. */
  readonly audience: string | undefined;
  /** An OAuth token must have all of these. */
  readonly scopes: readonly string[];
}

/** The target in the form of the proxy library. `ssl` is a new object each time, because the library writes to it. */
export function targetOf({ protocol, hostname, port, host }: Upstream) {
  // The certificate is the upstream's, even if the `Host` header names the issuer.
  const ssl = protocol === 'https:' && !isIP(hostname) ? { servername: hostname } : {};
  return { target: { protocol, hostname, port, host }, ssl };
}

export interface Route extends Demand {
  readonly prefix: string;
  /** If undefined, all methods except TRACE and CONNECT. */
  readonly methods: readonly string[] | undefined;
  /** If undefined, the route has no service, and the response is 502. */
  readonly upstream: Upstream | undefined;
  /** Milliseconds. */
  readonly timeouts: {
    /** To open the connection. */
    readonly connect: number;
    /** From the last byte of the request sent to the upstream until the response headers. */
    readonly answer: number;
    /** Without a byte in either direction, once the response has begun. */
    readonly idle: number;
    /** For the whole request body. */
    readonly upload: number;
  };
  /** Bytes. */
  readonly maxBody: number;
  readonly passToken: boolean;
  readonly stripPrefix: boolean;
  /** The upstream gets the issuer's `Host` instead of its own. */
  readonly preserveHost: boolean;
  /** The headers that do not reach the upstream. If undefined, the default rules apply. */
  readonly strips: Strips | undefined;
}

export const routeDefaults = {
  timeouts: { connect: 5_000, answer: 30_000, idle: 60_000, upload: 300_000 },
  maxBody: 10 * 1024 * 1024,
  passToken: false,
  stripPrefix: false,
  preserveHost: false,
  strips: undefined,
} as const;

/** The request to check. A question to `/gateway/verify` names a request other than itself. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Empty, or with its question mark. */
  readonly query: string;
}

export function splitTarget(method: string, target: string): Asked {
  const at = target.indexOf('?');
  return at === -1
    ? { method, path: target, query: '' }
    : { method, path: target.slice(0, at), query: target.slice(at) };
}

interface Match {
  /** The route that accepts the method, or the first one of this prefix. */
  readonly route: Route;
  /** The methods of this prefix, for `Allow`; undefined if the method is accepted. */
  readonly allow: readonly string[] | undefined;
}

export interface RouteTable {
  readonly routes: readonly Route[];
  readonly size: number;
  /** Whether the path has a route, in any spelling. */
  owns(path: string): boolean;
  /** Finds the longest prefix; a prefix ends at the end of a segment. */
  match(path: string, method: string): Match | undefined;
}

export function createRouteTable(routes: readonly Route[]): RouteTable {
  const byPrefix = new Map<string, Route[]>();
  for (const route of routes) byPrefix.set(route.prefix, [...(byPrefix.get(route.prefix) ?? []), route]);
  const folded = new Map([...byPrefix].map(([prefix, found]) => [prefix.toLowerCase(), found]));
  const deepest = Math.max(0, ...routes.map(({ prefix }) => prefix.split('/').length - 1));

  /** Looks at no more segments than the longest prefix has, so a long path costs nothing. */
  function find(path: string, among: ReadonlyMap<string, Route[]>): Route[] | undefined {
    const ends: number[] = [];
    for (let end = path.indexOf('/', 1); ends.length < deepest; end = path.indexOf('/', end + 1)) {
      ends.push(end === -1 ? path.length : end);
      if (end === -1) break;
    }
    for (const end of ends.reverse()) {
      const found = among.get(path.slice(0, end));
      if (found) return found;
    }
    return undefined;
  }

  return {
    routes,
    size: routes.length,
    owns: (path) => find(path, byPrefix) !== undefined,
    match(path, method) {
      const found = find(path, byPrefix);
      // An upstream that ignores case reads `/files/SECRET` as `/files/secret`. If a longer prefix matches without
      // case, the path is unknown, so that it does not pass under the rules of a shorter prefix.
      if (found === undefined || found !== find(path.toLowerCase(), folded)) return undefined;
      const [first] = found as [Route, ...Route[]];
      const route = found.find(({ methods }) => takes(methods, method));
      if (route) return { route, allow: undefined };
      return { route: first, allow: [...new Set(found.flatMap(({ methods }) => withHead(methods)))] };
    },
  };
}

function takes(methods: readonly string[] | undefined, method: string): boolean {
  // TRACE would return the credentials of the request to its sender (RFC 9110, section 9.3.8).
  if (methods === undefined) return method !== 'TRACE' && method !== 'CONNECT';
  return methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

function withHead(methods: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']): string[] {
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}
