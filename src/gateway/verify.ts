/**
 * `/gateway/verify` checks a request without forwarding it, for a proxy that forwards itself (nginx auth_request,
 * Traefik ForwardAuth, Caddy forward_auth). The proxy names the request in headers, and the route table decides. At
 * `/gateway/verify/token`, the query of the proxy's configuration states the demand. The response is 200 with identity
 * headers, 401 or 403. nginx turns any other status into a 500, so 400, 404, 405 and 429 become a 403 whose
 * `X-Gatehouse-Reason` has the code; a 400 with a challenge becomes a 401, because nginx passes on no other challenge.
 *
 * There are two addresses because a proxy may append its caller's query (Caddy does if its `uri` has none). A query
 * must not decide whether the route table applies. `/gateway/verify` refuses any query, which exposes such a
 * configuration.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Admission, admit, type Gate, refusalOf } from './admission.ts';
import type { Refused } from './answers.ts';
import { verifiedHeaders } from './headers.ts';
import { type Demand, splitTarget, tokenNames } from './routes.ts';

export const byTable = '/gateway/verify';
export const byDemand = '/gateway/verify/token';

export const isVerifyPath = (path: string): boolean => path === byTable || path === byDemand;

export async function answerVerify(
  req: IncomingMessage,
  res: ServerResponse,
  { no, ...gate }: Gate & { readonly no: (refused: Refused) => void },
): Promise<void> {
  const checked = await check(req, gate);
  if (checked.outcome === 'refused') {
    no(forProxies(checked.refused));
    return;
  }
  const { identity, nonce } = checked;
  const headers = { ...verifiedHeaders(identity), ...(nonce !== undefined && { 'DPoP-Nonce': nonce }) };
  res.writeHead(200, { ...headers, 'Cache-Control': 'no-store', 'Content-Length': '0' });
  res.end();
}

type Checked =
  | Pick<Extract<Admission, { outcome: 'admitted' }>, 'outcome' | 'identity' | 'nonce'>
  | Extract<Admission, { outcome: 'refused' }>;

async function check(req: IncomingMessage, gate: Gate): Promise<Checked> {
  const { path, query } = splitTarget('', req.url ?? '');
  if (path === byDemand) {
    const demand = demandOf(new URLSearchParams(query));
    if (demand === undefined) return misunderstood;
    const authenticated = await gate.authenticate(req, demand, { from: gate.from, asked: originalTarget(req) });
    if (authenticated.outcome === 'identified') {
      const { identity, nonce } = authenticated;
      return { outcome: 'admitted', identity, nonce };
    }
    return { outcome: 'refused', refused: refusalOf(authenticated, demand, gate.hintsFor) };
  }
  const target = originalTarget(req);
  // Caddy's `uri` ends with a lone question mark to keep the caller's query away.
  const queried = query !== '' && query !== '?';
  return queried || target === undefined ? misunderstood : admit(req, target, gate);
}

/**
 * Parses `?tokens=oauth,identity&audience=…&scope=…`. Returns undefined if a member is unknown, repeated or invalid.
 */
function demandOf(query: URLSearchParams): Demand | undefined {
  const names = [...query.keys()];
  if (new Set(names).size !== names.length || names.some((name) => !['tokens', 'audience', 'scope'].includes(name)))
    return undefined;
  const wanted = (query.get('tokens') ?? '').split(',');
  const tokens = tokenNames.filter((name) => wanted.includes(name));
  const audience = query.get('audience') || undefined;
  const scopes = (query.get('scope') ?? '').split(' ').filter(Boolean);
  // RFC 6749, section 3.3. The refusal repeats the scopes in a header, so their characters are limited.
  if (!scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(scope))) return undefined;
  const oauth = tokens.includes('oauth');
  if (tokens.length !== wanted.length || oauth !== (audience !== undefined)) return undefined;
  return scopes.length > 0 && !oauth ? undefined : { tokens, audience, scopes };
}

/**
 * nginx sends `X-Original-Method` and `X-Original-URI`, Traefik and Caddy send `X-Forwarded-Method` and
 * `X-Forwarded-Uri`. If values differ, one of them comes from the caller, so the result is undefined.
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
    description: 'the request or token to verify is not named, or is malformed',
    headers: { 'X-Gatehouse-Reason': 'bad_question' },
  },
};

function forProxies(refused: Refused): Refused {
  if (refused.status === 401 || refused.status === 403) return refused;
  if (refused.headers?.['WWW-Authenticate'] !== undefined) return { ...refused, status: 401 };
  const retryAfter = refused.headers?.['Retry-After'];
  const headers = { 'X-Gatehouse-Reason': refused.error, ...(retryAfter && { 'Retry-After': retryAfter }) };
  return { ...refused, status: 403, headers };
}
