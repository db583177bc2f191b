/**
 * `/gateway/verify`: the check without the forwarding, for a proxy that forwards itself (nginx auth_request, Traefik ForwardAuth,
 * Caddy forward_auth). What is asked for stands in headers of the proxy's, and is looked up in the route table; or, at
 * `/gateway/verify/token`, the proxy's configuration says in the query what it demands. The answer is 200 with the identity
 * headers, 401 or 403: nginx makes a 500 of everything else, so what would be 400, 404, 405 or 429 is a 403 whose
 * `X-Gatehouse-Reason` tells the operator which.
 *
 * Two addresses, because a proxy may hand its caller's query on (Caddy does, where its `uri` names none): a query must never
 * decide whether the table counts. Where it does, one is refused, and a proxy that is set up like this is noticed at once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../core/kernel/caller.ts';
import { type Admission, admit, refusalOf } from './admission.ts';
import type { Refused } from './answers.ts';
import type { Authenticator } from './authenticate.ts';
import { verifiedHeaders } from './headers.ts';
import { type Demand, type RouteTable, splitTarget, tokenNames } from './routes.ts';

export const byTable = '/gateway/verify';
export const byDemand = '/gateway/verify/token';

export const isVerifyPath = (path: string): boolean => path === byTable || path === byDemand;

export async function answerVerify(
  req: IncomingMessage,
  res: ServerResponse,
  {
    table,
    authenticate,
    from,
    no,
  }: { table: RouteTable; authenticate: Authenticator; from: Caller; no: (refused: Refused) => void },
): Promise<void> {
  const checked = await check(req, table, authenticate, from);
  if (checked.outcome === 'refused') {
    no(forProxies(checked.refused));
    return;
  }
  res.writeHead(200, { ...verifiedHeaders(checked.identity), 'Cache-Control': 'no-store', 'Content-Length': '0' });
  res.end();
}

type Checked =
  | Pick<Extract<Admission, { outcome: 'admitted' }>, 'outcome' | 'identity'>
  | Extract<Admission, { outcome: 'refused' }>;

async function check(
  req: IncomingMessage,
  table: RouteTable,
  authenticate: Authenticator,
  from: Caller,
): Promise<Checked> {
  const { path, query } = splitTarget('', req.url ?? '');
  if (path === byDemand) {
    const demand = demandOf(new URLSearchParams(query));
    if (demand === undefined) return misunderstood;
    const authenticated = await authenticate(req, demand, from);
    if (authenticated.outcome === 'identified') return { outcome: 'admitted', identity: authenticated.identity };
    return { outcome: 'refused', refused: refusalOf(authenticated) };
  }
  const target = originalTarget(req);
  // Caddy writes the lone question mark that keeps its caller's query away.
  const queried = query !== '' && query !== '?';
  return queried || target === undefined ? misunderstood : admit(req, target, table, authenticate, from);
}

/** `?tokens=oauth,identity&audience=…&scope=…`; undefined where it says anything else, or leaves the audience out. */
function demandOf(query: URLSearchParams): Demand | undefined {
  const names = [...query.keys()];
  if (new Set(names).size !== names.length || names.some((name) => !['tokens', 'audience', 'scope'].includes(name)))
    return undefined;
  const wanted = (query.get('tokens') ?? '').split(',');
  const tokens = tokenNames.filter((name) => wanted.includes(name));
  const audience = query.get('audience') || undefined;
  const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean);
  // RFC 6749, section 3.3; they are repeated in a header of the refusal.
  if (!scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(scope))) return undefined;
  const oauth = tokens.includes('oauth');
  if (tokens.length !== wanted.length || oauth !== (audience !== undefined)) return undefined;
  return scopes.length > 0 && !oauth ? undefined : { tokens, audience, scopes };
}

/**
 * nginx is told to say `X-Original-Method` and `X-Original-URI`, Traefik and Caddy say `X-Forwarded-Method` and
 * `X-Forwarded-Uri`. A header that stands there twice, or two pairs that differ: one of them is the caller's own.
 */
function originalTarget({ headersDistinct }: IncomingMessage): ReturnType<typeof splitTarget> | undefined {
  const said = (name: string) => headersDistinct[name] ?? [];
  const methods = [...said('x-original-method'), ...said('x-forwarded-method')];
  const uris = [...said('x-original-uri'), ...said('x-forwarded-uri')];
  const [method] = methods;
  const [uri] = uris;
  if (method === undefined || uri === undefined) return undefined;
  if (methods.some((other) => other !== method) || uris.some((other) => other !== uri)) return undefined;
  return splitTarget(method, uri);
}

const misunderstood: Checked = {
  outcome: 'refused',
  refused: {
    status: 403,
    error: 'forbidden',
    description: 'what is to be verified is not said, or not understood',
    headers: { 'X-Gatehouse-Reason': 'bad_question' },
  },
};

function forProxies(refused: Refused): Refused {
  if (refused.status === 401 || refused.status === 403) return refused;
  const retryAfter = refused.headers?.['Retry-After'];
  const headers = { 'X-Gatehouse-Reason': refused.error, ...(retryAfter && { 'Retry-After': retryAfter }) };
  return { ...refused, status: 403, headers };
}
