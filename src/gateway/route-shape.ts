/**
 * The shape of the file that GATEWAY_ROUTES names, and its rules. Reports all mistakes at once. Loaded only if there is
 * such a file, because loading zod takes time.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { printable } from '../base/printable.ts';
import { type HeaderRules, stripperOf } from './header-names.ts';
import { fileRules, type Loose, type RouteRule, routeRules } from './route-rules.ts';
import { type Route, routeDefaults, tokenNames, type Upstream } from './routes.ts';

export interface RouteMistake {
  /** Counted from 1; undefined if the mistake concerns the whole file. */
  readonly route: number | undefined;
  /** `upstream`, `timeouts.connect` … */
  readonly member: string;
  readonly given: string;
  readonly wanted: string;
  readonly example: string;
}

const headerNames = 'a list of header names, or of prefixes that end with *';

/** The expected value and an example for each member. docs/surfaces/gateway.md has the same rows. */
const members: Readonly<Record<string, { readonly wanted: string; readonly example: string }>> = {
  prefix: {
    wanted:
      'a path without a slash at its end, of letters, digits, `-`, `.`, `_` and `~`, that is not one of this server',
    example: 'prefix: /reports',
  },
  methods: { wanted: 'a list of methods in capitals', example: 'methods: [GET, POST]' },
  upstream: {
    wanted: 'an http or https address without a user name, a query or a fragment',
    example: 'upstream: http://127.0.0.1:8080',
  },
  tokens: { wanted: `a list of ${tokenNames.join(', ')}`, example: 'tokens: [oauth]' },
  audience: { wanted: 'the identifier of an API', example: 'audience: https://api.example.com/' },
  scopes: { wanted: 'a list of scopes', example: 'scopes: [reports:read]' },
  timeouts: { wanted: 'connect, answer, idle and upload, each in seconds', example: 'timeouts: { answer: 60s }' },
  'timeouts.*': { wanted: 'seconds from 0.001 to 86400, or a time such as 10s, 500ms or 5m', example: 'answer: 60s' },
  maxBody: { wanted: 'a whole number of bytes, at most 1099511627776', example: 'maxBody: 10485760' },
  passToken: { wanted: 'true or false', example: 'passToken: true' },
  stripPrefix: { wanted: 'true or false', example: 'stripPrefix: true' },
  preserveHost: { wanted: 'true or false', example: 'preserveHost: true' },
  stripHeaders: { wanted: headerNames, example: 'stripHeaders: [X-Tenant, X-Internal-*]' },
  passHeaders: { wanted: headerNames, example: 'passHeaders: [Cf-IPCountry]' },
};

const duration = z.union([z.number(), z.string()]).transform((given, ctx) => {
  const [, count, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?) ?(ms|s|m|h)?$/.exec(String(given)) ?? [];
  const ms = Number(count) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h'];
  if (ms >= 1 && ms <= 86_400_000) return Math.round(ms);
  ctx.addIssue({ code: 'custom' });
  return z.NEVER;
});

const upstream = z.string().transform((given, ctx): Upstream => {
  const url = URL.parse(given);
  const plain = url && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '';
  if (!plain || url.hostname === '' || /[?#\\\s]/.test(given)) {
    ctx.addIssue({ code: 'custom' });
    return z.NEVER;
  }
  const bare = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    protocol: url.protocol === 'https:' ? 'https:' : 'http:',
    hostname: isIP(bare) ? bare : url.hostname,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    host: url.host,
    basePath: url.pathname.replace(/\/$/, ''),
  };
});

const headers = z
  .array(z.string().regex(/^[A-Za-z0-9_.-]{1,100}\*?$/))
  .max(200)
  .default([]);

/** The file may also be just the list of routes. */
const fileShape = z.strictObject({ routes: z.array(z.unknown()), stripHeaders: headers, passHeaders: headers });

const shape = z.strictObject({
  prefix: z
    .string()
    .max(256)
    .regex(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9\-._~]+)+$/),
  methods: z
    .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
    .min(1)
    .optional(),
  upstream: upstream.optional(),
  tokens: z.array(z.enum(tokenNames)).min(1),
  audience: z.string().min(1).max(512).optional(),
  // RFC 6749, section 3.3.
  scopes: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/)).default([]),
  timeouts: z
    .strictObject({ connect: duration, answer: duration, idle: duration, upload: duration })
    .partial()
    .default({}),
  maxBody: z
    .int()
    .min(0)
    .max(2 ** 40)
    .default(routeDefaults.maxBody),
  passToken: z.boolean().default(routeDefaults.passToken),
  stripPrefix: z.boolean().default(routeDefaults.stripPrefix),
  preserveHost: z.boolean().default(routeDefaults.preserveHost),
  stripHeaders: headers,
  passHeaders: headers,
});

type Checked = { readonly routes: readonly Route[]; readonly mistakes: readonly RouteMistake[] };

/** `document`: the parsed file. `own`: the own paths of this server (own-paths.ts). */
export function checkRoutes(document: unknown, own: readonly string[]): Checked {
  const given: Loose = Array.isArray(document) ? { routes: document } : isObject(document) ? document : {};
  if (!Array.isArray(given.routes)) {
    const wanted = 'a list of routes, or an object with such a list as its member routes';
    const mistake = { route: undefined, member: 'the file', given: whole(document), wanted };
    return { routes: [], mistakes: [{ ...mistake, example: '- prefix: /reports' }] };
  }
  const parsed = fileShape.safeParse(given);
  const ofFile = parsed.success ? [] : mistakesOf(parsed.error.issues, given, undefined, Object.keys(fileShape.shape));
  const mistakes = [...ofFile, ...brokenRules(fileRules, given, ofFile, undefined, [], own)];
  const shared = { strip: parsed.data?.stripHeaders ?? [], pass: parsed.data?.passHeaders ?? [] };

  const routes: Route[] = [];
  given.routes.forEach((each: unknown, index) => {
    const read = shape.safeParse(each);
    const found = read.success ? [] : mistakesOf(read.error.issues, each, index + 1, Object.keys(shape.shape));
    if (read.success) routes.push(routeOf(read.data, shared));
    mistakes.push(...found);
    const earlier = listed(given.routes).slice(0, index).filter(isObject);
    if (isObject(each)) mistakes.push(...brokenRules(routeRules, each, found, index + 1, earlier, own));
  });
  return { routes, mistakes };
}

function routeOf(read: z.output<typeof shape>, file: HeaderRules): Route {
  const { timeouts, methods, upstream: to, audience, stripHeaders: strip, passHeaders: pass, ...rest } = read;
  const rules = [{ strip, pass }, file].filter((each) => each.strip.length + each.pass.length > 0);
  const times = { ...routeDefaults.timeouts, ...defined(timeouts) };
  const strips = rules.length > 0 ? stripperOf(...rules) : undefined;
  return { ...rest, methods, upstream: to, audience, timeouts: times, strips };
}

/** Skips rules about members that are already invalid (`found`). */
function brokenRules(
  rules: readonly RouteRule[],
  given: Loose,
  found: readonly RouteMistake[],
  route: number | undefined,
  earlier: readonly Loose[],
  own: readonly string[],
): RouteMistake[] {
  const broken = new Set(found.map(({ member }) => member));
  return rules.flatMap(({ about, check }) => {
    if (about.some((member) => broken.has(member))) return [];
    const wanted = check(given, earlier, own);
    const [member] = about;
    const example = members[member]?.example ?? '';
    return wanted ? [{ route, member, given: shown(given[member]), wanted, example }] : [];
  });
}

/** The mistakes of the file, or of route `number`. `names`: the known members. */
function mistakesOf(
  issues: readonly z.core.$ZodIssue[],
  given: unknown,
  number: number | undefined,
  names: readonly string[],
): RouteMistake[] {
  const seen = new Map<string, RouteMistake>();
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      const at = issue.path.join('.');
      for (const key of issue.keys) {
        const member = at === '' ? key : `${at}.${key}`;
        const wanted = at === '' ? `one of ${names.join(', ')}` : 'one of connect, answer, idle, upload';
        seen.set(member, {
          route: number,
          member: printable(member),
          given: 'an unknown member',
          wanted,
          example: '',
        });
      }
      continue;
    }
    const [top = '', below] = issue.path.map(String);
    const member = top === 'timeouts' && below !== undefined ? `timeouts.${below}` : top;
    const about = members[member] ??
      members[member.replace(/\..*/, '.*')] ?? {
        wanted: 'an object with prefix and tokens',
        example: '- prefix: /reports',
      };
    const value = member
      .split('.')
      .reduce((whole: unknown, name) => (isObject(whole) ? whole[name] : undefined), given);
    seen.set(member, {
      route: number,
      member: member || 'the route',
      given: member === '' ? whole(given) : shown(value),
      ...about,
    });
  }
  return [...seen.values()];
}

const listed = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function defined(times: { readonly [name: string]: number | undefined }): Partial<Route['timeouts']> {
  return Object.fromEntries(Object.entries(times).filter(([, ms]) => ms !== undefined));
}

/** A wrong file may hold a secret, so its text is not shown. */
const whole = (value: unknown): string => (typeof value === 'string' ? 'a text' : shown(value));

function shown(value: unknown): string {
  return value === undefined
    ? 'nothing'
    : printable(typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing'));
}
