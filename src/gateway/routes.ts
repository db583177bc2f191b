/** The route table as it is used: immutable, and replaced as a whole when the file is read again. */
import { isIP } from 'node:net';
import type { PersonKind } from '../core/tokens/token-kinds.ts';
import type { Strips } from './header-names.ts';

/** The kinds of token that a route may take. */
export type TokenName = 'oauth' | PersonKind | 'space-guard';
export const tokenNames = ['oauth', 'identity', 'security-service', 'tinyoauth', 'space-guard'] as const;

export interface Upstream {
  readonly protocol: 'http:' | 'https:';
  /** A name or an address, without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** As the `Host` header has it. */
  readonly host: string;
  /** What its paths begin with; without a slash at its end. */
  readonly basePath: string;
}

/** What a token must be, for a route and for a question to /gateway/verify/token. */
export interface Demand {
  readonly tokens: readonly TokenName[];
  /** The API's identifier; present where OAuth tokens are taken. */
  readonly audience: string | undefined;
  /** All of them, of an OAuth token. */
  readonly scopes: readonly string[];
}

/** As the proxy library wants it. `ssl` is a new object each time: the library writes into it. */
export function targetOf({ protocol, hostname, port, host }: Upstream) {
  // The certificate is that of the upstream, also where the `Host` header names the issuer.
  const ssl = protocol === 'https:' && !isIP(hostname) ? { servername: hostname } : {};
  return { target: { protocol, hostname, port, host }, ssl };
}

export interface Route extends Demand {
  readonly prefix: string;
  /** Undefined: all but TRACE and CONNECT. */
  readonly methods: readonly string[] | undefined;
  /** Undefined: there is nothing behind it, 502. */
  readonly upstream: Upstream | undefined;
  /** Milliseconds. */
  readonly timeouts: {
    /** Until there is a connection. */
    readonly connect: number;
    /** From the last byte of the request that was passed on to the answer's headers. */
    readonly answer: number;
    /** Without a byte either way, once the answer has begun. */
    readonly idle: number;
    /** For the whole of a request's body. */
    readonly upload: number;
  };
  /** Bytes. */
  readonly maxBody: number;
  readonly passToken: boolean;
  readonly stripPrefix: boolean;
  /** The upstream sees the issuer's `Host` and not its own. */
  readonly preserveHost: boolean;
  /**
   * Which of a caller's headers do not reach the upstream, where the table has rules of its own; undefined: the
   * default.
   */
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

/** The address as it was asked for; a proxy's own question says another than the request has. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
}

export function splitTarget(method: string, target: string): Asked {
  const at = target.indexOf('?');
  return at === -1
    ? { method, path: target, query: '' }
    : { method, path: target.slice(0, at), query: target.slice(at) };
}

interface Match {
  /** The one that takes the method, or the first of this prefix. */
  readonly route: Route;
  /** What this prefix takes, for `Allow`; undefined where it takes this method. */
  readonly allow: readonly string[] | undefined;
}

export interface RouteTable {
  readonly size: number;
  /** Whether a path belongs to a route, however it is spelled. */
  owns(path: string): boolean;
  /** The route of the longest prefix; a prefix ends where a segment ends. */
  match(path: string, method: string): Match | undefined;
}

export function createRouteTable(routes: readonly Route[]): RouteTable {
  const byPrefix = new Map<string, Route[]>();
  for (const route of routes) byPrefix.set(route.prefix, [...(byPrefix.get(route.prefix) ?? []), route]);
  // Compared without case as well, see `match`.
  const folded = new Map([...byPrefix].map(([prefix, found]) => [prefix.toLowerCase(), found]));
  const deepest = Math.max(0, ...routes.map(({ prefix }) => prefix.split('/').length - 1));

  /** Only as many segments as the longest prefix has are looked at: a path of thousands costs no more. */
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
    size: routes.length,
    owns: (path) => find(path, byPrefix) !== undefined,
    match(path, method) {
      const found = find(path, byPrefix);
      // To an upstream that does not tell cases apart `/files/SECRET` is `/files/secret`: where that has a route of its own,
      // another spelling must not get by with the rules of a shorter one.
      if (found === undefined || found !== find(path.toLowerCase(), folded)) return undefined;
      const [first] = found as [Route, ...Route[]];
      const route = found.find(({ methods }) => takes(methods, method));
      if (route) return { route, allow: undefined };
      return { route: first, allow: [...new Set(found.flatMap(({ methods }) => withHead(methods)))] };
    },
  };
}

function takes(methods: readonly string[] | undefined, method: string): boolean {
  // TRACE would show the request's credentials to whoever asks (RFC 9110, section 9.3.8).
  if (methods === undefined) return method !== 'TRACE' && method !== 'CONNECT';
  return methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

function withHead(methods: readonly string[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']): string[] {
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
}
