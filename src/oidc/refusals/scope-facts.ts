/** The mistake in the scopes or the APIs of a request (RFC 6749, section 3.3; RFC 8707, section 2). */
import { digest } from '../../base/secrets.ts';
import { type Apis, openScopes, userinfoAudience } from '../../core/apis/apis.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import { nearestWord } from '../../core/refusals/nearest.ts';
import { shown } from '../../core/refusals/shown.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';
import { unitOf } from '../request-unit.ts';
import { engineScopes } from '../requests/scopes.ts';
import type { Asked, Facts, FactsDeps } from './recorded.ts';

export function scopeFacts(check: CheckName, request: Asked, { apis }: FactsDeps): Facts {
  const named = namedApis(request, apis);
  const offered = new Set([...engineScopes, ...(named.length > 0 ? named : apis.list()).flatMap(openScopes)]);
  const received = String(sent(request, 'scope') ?? '');
  const asked = received.split(/[\s,]+/).filter(Boolean);
  const { scope } = request.client?.metadata ?? {};
  const allowed = check === 'scope_not_allowed' && typeof scope === 'string' ? scope.split(' ') : [...offered];
  const wrong = asked.find((name) => !allowed.includes(name)) ?? asked[0];
  return {
    expected: allowed.slice(0, 20).join(' '),
    received: shown(received || 'no scope'),
    nearest: wrong === undefined ? undefined : nearestWord(wrong, allowed),
    ...(received.includes(',') && { advice: 'Separate scopes by spaces, not commas.' }),
  };
}

/** For an unknown API, or an API that the code or refresh token was not granted for. */
export async function resourceFacts(request: Asked, deps: FactsDeps): Promise<Facts> {
  const received = sent(request, 'resource');
  const granted = await grantedApis(request, deps);
  const known = granted.length > 0 ? granted : deps.apis.list().map(({ identifier }) => identifier);
  return {
    ...(granted.length > 0 && deps.apis.find(String(received)) && { check: 'resource_not_granted' }),
    expected: known.slice(0, 10).join(' '),
    received: shown(received ?? 'no resource'),
    nearest: typeof received === 'string' ? nearestWord(received, known) : undefined,
  };
}

/** The APIs, or the scopes of the API, that the request may have meant. */
export async function meantFacts(request: Asked, deps: FactsDeps): Promise<Facts> {
  const named = namedApis(request, deps.apis);
  const scope = sent(request, 'scope');
  const asked = String(scope ?? '').split(' ');
  const having = deps.apis.list().filter((api) => openScopes(api).some((name) => asked.includes(name)));
  const granted = await grantedApis(request, deps);
  const meant = granted.length > 0 ? granted : having.map(({ identifier }) => identifier);
  return {
    expected: (named.length > 0 ? named.flatMap(openScopes) : meant).slice(0, 20).join(' '),
    received: shown(sent(request, 'resource') ?? scope ?? 'no resource'),
  };
}

/** The original value: the engine changes its own copy of these parameters. */
function sent({ ctx }: Asked, name: 'scope' | 'resource'): unknown {
  return ctx.oidc?.body?.[name] ?? ctx.query[name];
}

/** The known APIs that the request names. */
function namedApis(request: Asked, apis: Apis): ApiRecord[] {
  return [sent(request, 'resource')].flat().flatMap((identifier) => apis.find(String(identifier ?? '')) ?? []);
}

/** The APIs that the code or refresh token was granted for; empty if the request has neither. */
async function grantedApis({ ctx, params }: Asked, { issuer }: FactsDeps): Promise<string[]> {
  const value = params.grant_type === 'refresh_token' ? params.refresh_token : params.code;
  if (ctx.oidc?.route !== 'token' || typeof value !== 'string') return [];
  const payload = (await unitOf(ctx)?.reads.tokens.get(digest(value)))?.token.payload;
  const { resource }: { resource?: unknown } = payload === undefined ? {} : JSON.parse(payload);
  return [resource].flat().filter((one): one is string => typeof one === 'string' && one !== userinfoAudience(issuer));
}
