/** What no answer may be or say (security.md G7 and 2.3), and how each API words a refusal. */
import type { Hostile } from './request.ts';
import type { Route } from './routes.ts';
import { gatewayPaths } from './upstream.ts';
import type { Received } from './wire.ts';

/** What an answer gives away when its author did not expect the request. */
const leaks: readonly RegExp[] = [
  /\bat (?:async )?(?:[\w.<>]+ \()?(?:\/|file:|node:)/,
  /node_modules/,
  /node:internal/,
  /\b(?:Type|Reference|Range|Syntax|Assertion|Sqlite)?Error: /,
  /\bERR_[A-Z]/,
  /\bECONN|\bENOENT|\bEACCES/,
  /\bknex\b/i,
  /\bioredis\b/i,
  /\bSQLITE_|\bSQLSTATE\b/,
  /\b(?:select|update|delete) [\s\S]{1,80} (?:from|where|set) \S+ (?:where|=)/i,
  /\binsert into \w+ \(/i,
  /\bpg_catalog|\bpostgres:\/\//i,
  /(?:^|[\s"'(])\/(?:home|root|usr|var|tmp|work|app|srv)\/\w/,
  /\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b/,
  /\bCannot (?:read|set|destructure) propert|is not a function|is not iterable|is not defined/,
  /\[object Object\]/,
];

type Body = Readonly<Record<string, unknown>>;
interface Where {
  readonly status: number;
  readonly path: string;
}

/** These members and no others; those behind a question mark may be left out. */
function has(body: Body, members: string): boolean {
  const names = members.split(' ').filter(Boolean);
  const known = names.map((name) => name.replace('?', ''));
  return (
    names.every((name) => name.endsWith('?') || name in body) && Object.keys(body).every((name) => known.includes(name))
  );
}
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** What a refusal says beside that to the developer at the same machine. */
const explained = 'check? says? source? expected? received? nearest? advice?';
const oauth = (body: Body): boolean =>
  has(body, `success? error error_description? error_uri? state? scope? ${explained}`) &&
  isText(body.error) &&
  body.success !== true;

/** From the originals, and not from the schemas that the server itself makes its answers by. */
const formats: Readonly<Record<string, (body: Body, where: Where) => boolean>> = {
  'oauth-clients': (body) =>
    has(body, 'success error error_description') && body.success === false && isText(body.error_description),
  tinyoauth: (body, { path }) => {
    if (path === '/token') return oauth(body);
    const token = path === '/login' ? 'token' : '';
    return (
      has(body, `result reason ${token} methods?`) && body.result === 'failed' && isText(body.reason) && !body.token
    );
  },
  identity: (body) =>
    has(body, 'ok message timestamp') && body.ok === false && isText(body.message) && !Number.isInteger(body.timestamp),
  'security-service': ({ error, ...rest }, { status }) =>
    has(rest, '') &&
    has(error as Body, 'code message detail?') &&
    (error as Body).code === status &&
    isText((error as Body).message),
  'space-guard': (body, { status }) => has(body, 'code message') && body.code === status && isText(body.message),
  gateway: (body) => has(body, 'error error_description reference') && isText(body.error) && isText(body.reference),
  registration: (body) =>
    has(body, 'error error_description error_uri?') && isText(body.error) && isText(body.error_description),
  oauth,
  // What is not ready says so with the body of one that is.
  ops: (body) => oauth(body) || 'status' in body,
};

export type Complaint = (received: Received, hostile: Hostile) => string | undefined;

/** Undefined: nothing is wrong with it. */
export function createChecks(routes: readonly Route[]): Complaint {
  function apiOf(path: string): string | undefined {
    // With a fragment it belongs to no endpoint.
    if (path.includes('#')) return undefined;
    if (
      ['/gateway/verify', '/gateway/verify/token'].includes(path) ||
      `${path}/`.startsWith('/.well-known/oauth-protected-resource/') ||
      gatewayPaths.some((prefix) => `${path}/`.startsWith(`${prefix}/`))
    )
      return 'gateway';
    return routes.find(({ matches }) => matches(path))?.api;
  }

  function wronglyWorded({ status, headers, body }: Received, { path, isHead }: Hostile): string | undefined {
    const header = (name: string) => headers.find(([other]) => other === name)?.[1] ?? '';
    // Refused by Node itself, which has no address to look at yet.
    if (status >= 400 && header('x-request-id') === '')
      return body === '' ? undefined : `${status} of no surface, with a body: ${body.slice(0, 300)}`;
    const api = apiOf(path);
    if (
      api !== undefined &&
      api !== 'ops' &&
      api !== 'gateway' &&
      status !== 200 &&
      !header('cache-control').includes('no-store')
    )
      return `${status} without no-store`;
    if (status < 400 || isHead) return undefined;
    if (header('content-type').startsWith('text/html') && (api === undefined || api === 'oauth')) return undefined;
    const format = formats[api ?? 'oauth'];
    try {
      if (format?.(JSON.parse(body), { status, path })) return undefined;
    } catch {
      // It is no JSON.
    }
    return `${status} in no format of ${api ?? 'this server'}: ${header('content-type')} ${body.slice(0, 300)}`;
  }

  return (received, hostile) => {
    const { status, body, headers } = received;
    if (status === -1) return 'no answer within 8 s';
    if (status >= 500) return `status ${status}: ${body.slice(0, 300)}`;
    for (const [name] of headers) {
      if (name === 'x-injected' || name === 'x-powered-by' || name === 'server') return `a header ${name}`;
    }
    if (headers.some(([name, value]) => name === 'set-cookie' && value.startsWith('injected=')))
      return 'an injected cookie';
    const sent = hostile.bytes.toString('latin1');
    // The reference writes about addresses as text about this server does.
    const told = status === 200 && hostile.path.startsWith('/openapi') ? '' : body;
    const leak = leaks
      .map((pattern) => pattern.exec(told)?.[0])
      .find((found) => found !== undefined && !sent.includes(found));
    if (leak !== undefined) return `the body says ${JSON.stringify(leak)}`;
    return status === 0 ? undefined : wronglyWorded(received, hostile);
  };
}
