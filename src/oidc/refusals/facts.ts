/**
 * The expected and received values of each failed check. Secrets, codes, tokens and verifiers are shown by shape only,
 * and other values are cut (core/refusals/shown.ts).
 */
import { hash } from 'node:crypto';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import { deviceGrant } from '../../core/clients/metadata/device-grant.ts';
import { userCodeOf } from '../../core/device-codes/user-code.ts';
import { isDocumentUrl } from '../../core/metadata-clients/document-url.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import { nearestUri, nearestWord } from '../../core/refusals/nearest.ts';
import { shapeOf, shown } from '../../core/refusals/shown.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { StoredToken } from '../../core/stores/engine.ts';
import { unitOf } from '../request-unit.ts';
import { assertionFacts } from './assertion.ts';
import { proofFacts } from './proof-facts.ts';
import { pushedFacts } from './pushed-facts.ts';
import type { Asked, Facts, FactsDeps } from './recorded.ts';
import { meantFacts, resourceFacts, scopeFacts } from './scope-facts.ts';
import { whyUnfetched } from './unfetched.ts';

const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant] as const;
const offeredMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'];

export async function factsOfRefusal(check: CheckName, asked: Asked, deps: FactsDeps): Promise<Facts> {
  const { params, client, clientId } = asked;
  const metadata = client?.metadata ?? {};
  switch (check) {
    case 'client_unknown':
      if (clientId !== undefined && isDocumentUrl(clientId)) return documentFacts(clientId, asked, deps);
      if (client?.disabledAt != null) return { check: 'client_disabled', received: shown(clientId) };
      return {
        received: shown(clientId),
        look:
          clientId === undefined ? undefined : async () => nearestWord(clientId, await deps.clientIdsNear(clientId)),
      };
    case 'client_method':
      return methodFacts(asked);
    case 'client_secret_wrong':
      return secretFacts(asked);
    case 'client_assertion':
      return keyFacts(asked) ?? assertionFacts(params.client_assertion, client, deps.issuer, asked.said);
    case 'redirect_uri_unregistered':
    case 'redirect_uri_missing':
      return redirectFacts(asked);
    case 'response_type':
      return { expected: 'code', received: shown(params.response_type ?? ''), nearest: 'code' };
    case 'response_mode':
      return { expected: 'query or form_post', received: shown(params.response_mode ?? '') };
    case 'pkce_missing':
      return { expected: 'code_challenge and code_challenge_method=S256', received: 'no code_challenge' };
    case 'pkce_method':
      return {
        expected: 'S256',
        received: shown(params.code_challenge_method ?? 'nothing, which means plain'),
        nearest: 'S256',
      };
    case 'pkce_challenge':
      return { expected: '43 characters, base64url', received: shapeOf(params.code_challenge) };
    case 'scope_unknown':
    case 'scope_not_allowed':
    case 'scope_held':
      return scopeFacts(check, asked, deps);
    case 'scope_missing':
    case 'resource_missing':
      return meantFacts(asked, deps);
    case 'resource_unknown':
      return resourceFacts(asked, deps);
    case 'grant_type_unknown': {
      const received = String(params.grant_type ?? '');
      return { expected: grantTypes.join(', '), received: shown(received), nearest: nearestWord(received, grantTypes) };
    }
    case 'user_code_unknown':
      return { expected: 'eight consonants, as the device shows them', received: shapeOf(params.user_code) };
    case 'grant_type_not_allowed':
      return {
        expected: listOf(metadata.grant_types, ['authorization_code', 'refresh_token']).join(', '),
        received: shown(
          asked.ctx.oidc?.route === 'device_authorization' ? deviceGrant : (params.grant_type ?? 'authorization_code'),
        ),
      };
    case 'parameter_missing':
    case 'parameter_repeated':
    case 'parameter_invalid':
      return parameterFacts(asked);
    case 'media_type':
      return {
        expected: 'application/x-www-form-urlencoded',
        received: shown(asked.ctx.get('Content-Type') || 'nothing'),
      };
    case 'pushed_required':
    case 'pushed_unknown':
    case 'pushed_expired':
    case 'pushed_used':
    case 'pushed_of_another_client':
      return pushedFacts(check, asked);
    case 'id_token_hint':
      return { expected: 'an ID token of this server for this client', received: shapeOf(params.id_token_hint) };
    case 'login_required':
    case 'consent_required':
    case 'interaction_required':
      return { expected: 'a user who needs no prompt', received: `prompt=${shown(params.prompt ?? '')}` };
    default:
      if (check.startsWith('proof_')) return proofFacts(check, asked, deps);
      return /^(device_)?(code|verifier|refresh)_/.test(check) ? grantFacts(check, asked, deps) : {};
  }
}

/** The client or its document; the reason is this server's own, and repeats nothing of the document. */
function documentFacts(clientId: string, { client }: Asked, deps: FactsDeps): Facts {
  if (!deps.config.protocol.mcp) return { check: 'client_document_off', expected: 'MCP=true', received: 'MCP=false' };
  if (client?.ownDisabledAt != null) return { check: 'client_disabled', received: shown(clientId) };
  const { ended, failingSince } = client?.document ?? {};
  const failing = failingSince == null ? undefined : `No good answer for ${nowSeconds() - failingSince} seconds.`;
  return {
    check: 'client_document',
    expected: 'a client metadata document at the client_id',
    received: ended?.reason ?? [deps.metadataClients.why(clientId), failing].filter(Boolean).join(' '),
  };
}

function keyFacts({ ctx }: Asked): Facts | undefined {
  const received = whyUnfetched(ctx);
  return received === undefined
    ? undefined
    : { check: 'client_keys_unavailable', expected: 'a key set in JSON', received };
}

function methodFacts({ params, client, ctx }: Asked): Facts {
  const registered = String(client?.metadata.token_endpoint_auth_method ?? 'client_secret_basic');
  const received = params.client_assertion
    ? 'private_key_jwt'
    : params.client_secret
      ? 'client_secret_post'
      : ctx.get('Authorization') !== ''
        ? 'client_secret_basic'
        : 'none';
  // Without any credentials, they are missing rather than of the wrong method.
  const check =
    received === 'none' && offeredMethods.includes(registered) ? 'client_credentials_missing' : 'client_method';
  return { check, expected: registered, received, nearest: registered };
}

function secretFacts({ params, client, ctx }: Asked): Facts {
  const presented = typeof params.client_secret === 'string' ? params.client_secret : basicSecret(ctx);
  if (presented === undefined) return {};
  const same = (value: string) => client?.secrets.find(({ hash: known }) => known === digest(value));
  const old = same(presented);
  if (old?.expiresAt != null) {
    return {
      check: 'client_secret_expired',
      expected: 'the newest secret of the client',
      received: `a secret that ended ${secondsAgo(old.expiresAt)}`,
    };
  }
  const expected = '43 characters, base64url';
  const received = shapeOf(presented);
  if (same(presented.trim())) return { expected, received, advice: 'Remove the white space around the secret.' };
  if (same(decoded(presented)))
    return { expected, received, advice: 'The secret is percent-encoded twice: encode it once.' };
  return { expected, received };
}

function redirectFacts({ params, client, ctx }: Asked): Facts {
  const logout = ctx.oidc?.route?.startsWith('end_session') === true;
  const received = logout ? params.post_logout_redirect_uri : params.redirect_uri;
  const registered = listOf(logout ? client?.metadata.post_logout_redirect_uris : client?.metadata.redirect_uris, []);
  const text = typeof received === 'string' ? received : '';
  if (text === '') {
    return {
      check: 'redirect_uri_missing',
      expected: registered.slice(0, 5).join(' ') || 'a registered redirect URI',
      received: 'nothing',
    };
  }
  // The URI was registered while the client was reviewed or allowed to use insecure redirects.
  if (registered.includes(text)) return { check: 'redirect_uri_insecure', expected: 'https', received: shown(text) };
  const near = nearestUri(text, registered);
  if (near === undefined) return { received: shown(text), advice: 'Register a redirect URI for this client.' };
  return { expected: near.uri, received: shown(text), nearest: near.uri, advice: near.advice };
}

function parameterFacts({ said = '', params }: Asked): Facts {
  const names = /(?:parameters?(?:\(s\))? )?['"]?([a-z_]+(?:['"]?(?:, | and )['"]?[a-z_]+)*)['"]?/.exec(
    said.replace(/^missing required /, ''),
  )?.[1];
  const [name] = Object.keys(params).filter((parameter) => said.includes(parameter));
  if (said.startsWith('missing required')) return { expected: shown(names ?? 'the parameter'), received: 'nothing' };
  if (name === undefined) return {};
  return { expected: shown(said), received: `${name}=${shapeOf(params[name])}` };
}

/** For a code or a refresh token: its state, from rows that the request has already read. */
async function grantFacts(
  check: CheckName,
  { ctx, params, client }: Asked,
  { reuseWindowOf }: FactsDeps,
): Promise<Facts> {
  const value = presentedFor(check, params);
  if (typeof value !== 'string') return {};
  const bundle = await unitOf(ctx)?.reads.tokens.get(digest(value));
  const token = bundle?.token;
  switch (check) {
    case 'code_unknown':
    case 'device_code_unknown':
    case 'refresh_unknown':
      return { expected: '43 characters, base64url', received: shapeOf(value), ...spelled(value) };
    case 'code_expired':
    case 'device_code_expired':
    case 'refresh_expired':
      return { received: token?.expiresAt == null ? undefined : `expired ${secondsAgo(token.expiresAt)}` };
    case 'code_used':
    case 'device_code_used':
      return { received: usedAt(token, client) };
    case 'refresh_replayed':
      return replayFacts(token, client, await reuseWindowOf(client?.id ?? null));
    case 'refresh_differs':
      return {
        expected: 'the scope, resource and DPoP key of the request that replaced the token',
        received: `scope=${shown(params.scope ?? '')} resource=${shown(params.resource ?? '')}`,
      };
    case 'code_of_another_client':
    case 'device_code_of_another_client':
    case 'refresh_of_another_client':
      return { expected: 'one that was issued to this client', received: 'one that was issued to another client' };
    case 'code_redirect_uri': {
      const expected = payloadOf(token).redirectUri;
      const received = String(params.redirect_uri ?? '');
      if (typeof expected !== 'string') return {};
      return {
        expected: shown(expected),
        received: shown(received),
        nearest: shown(expected),
        advice: nearestUri(received, [expected])?.advice,
      };
    }
    case 'verifier_missing':
    case 'verifier_wrong':
    case 'verifier_malformed':
    case 'verifier_unexpected':
      return verifierFacts(check, params.code_verifier, payloadOf(token).codeChallenge);
    default:
      return {};
  }
}

function presentedFor(check: CheckName, { refresh_token, device_code, code }: Asked['params']): unknown {
  if (check.startsWith('refresh_')) return refresh_token;
  return check.startsWith('device_') ? device_code : code;
}

/** Detects common PKCE mistakes: swapped values, a hexadecimal or padded hash, no hash. */
function verifierFacts(check: CheckName, verifier: unknown, challenge: unknown): Facts {
  const received = shapeOf(verifier);
  if (typeof challenge !== 'string') {
    return {
      check: typeof verifier === 'string' ? 'verifier_unexpected' : check,
      expected: 'no code_verifier',
      received,
    };
  }
  const facts = { expected: 'the verifier whose base64url SHA-256 is the code_challenge', received };
  if (typeof verifier !== 'string') return facts;
  if (verifier === challenge)
    return { ...facts, advice: 'The code_challenge itself was sent: send the verifier that it was made from.' };
  if (hash('sha256', verifier, 'hex') === challenge)
    return { ...facts, advice: 'The code_challenge is hexadecimal: encode the SHA-256 in base64url.' };
  const base64 = hash('sha256', verifier, 'base64');
  if (base64 === challenge || base64.replace(/=+$/, '') === challenge) {
    return { ...facts, advice: 'The code_challenge is base64: encode the SHA-256 in base64url without padding.' };
  }
  return facts;
}

function replayFacts(token: StoredToken | undefined, client: ClientRecord | undefined, window: number): Facts {
  const used = usedAt(token, client);
  return {
    expected:
      window === 0
        ? 'a refresh token that was not replaced'
        : `a refresh token that was not replaced, or less than ${window} seconds ago by one that is unused`,
    received: token?.successorConsumed === true ? `${used}; its replacement was used too` : used,
  };
}

function usedAt(token: StoredToken | undefined, client: ClientRecord | undefined): string | undefined {
  if (token?.consumedAt == null) return undefined;
  return `used ${secondsAgo(token.consumedAt)} by ${token.clientId === client?.id ? 'the same client' : 'another client'}`;
}

function spelled(value: string): Facts {
  if (userCodeOf(value)) return { advice: 'This is the user_code, which a person enters. Send the device_code.' };
  if (value !== value.trim()) return { advice: 'Remove the white space around the value.' };
  return value.includes('%') ? { advice: 'Decode the value once: it holds percent signs.' } : {};
}

function payloadOf(token: StoredToken | undefined): Readonly<Record<string, unknown>> {
  return token === undefined ? {} : JSON.parse(token.payload);
}

function secondsAgo(then: number): string {
  const seconds = nowSeconds() - then;
  return `${seconds} ${seconds === 1 ? 'second' : 'seconds'} ago`;
}

function basicSecret(ctx: KoaContextWithOIDC): string | undefined {
  const [scheme, value = ''] = ctx.get('Authorization').split(' ');
  if (scheme?.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.includes(':') ? decoded(pair.slice(pair.indexOf(':') + 1)) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    return text;
  }
}

function listOf(value: unknown, otherwise: readonly string[]): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : otherwise;
}
