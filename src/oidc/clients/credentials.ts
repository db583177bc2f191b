/**
 * Client credentials of a request, and the limits on wrong ones. The engine reports a failed authentication with its
 * response, so failures are counted after it. A credential is checked only if the limits allow it (`mayLook`).
 */
import type { IncomingMessage } from 'node:http';
import type { ParsedUrlQuery } from 'node:querystring';
import { decodeJwt } from 'jose';
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { verifySecret } from '../../core/clients/client-secrets.ts';
import type { CredentialLimits, Presented } from '../../core/kernel/credential-limits.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { callerOf } from '../../http/caller.ts';
import { failureOf } from '../refusals/record.ts';

interface BasicCredentials {
  readonly id: string;
  /** Empty if nothing follows the colon. */
  readonly secret: string;
  /** Whether the base64 is padded; some decoders accept it without padding. */
  readonly padded: boolean;
}

/**
 * ID and secret in HTTP Basic, each form-encoded before base64 (RFC 6749, section 2.3.1). Returns undefined if the
 * header has no such pair, or the pair is not encoded correctly.
 */
function basicCredentials(header: string): BasicCredentials | undefined {
  const [, encoded] = /^basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 1) return undefined;
  try {
    const [id, secret] = [decoded(pair.slice(0, colon)), decoded(pair.slice(colon + 1))];
    return { id, secret, padded: encoded.length % 4 === 0 };
  } catch {
    return undefined;
  }
}

/** Throws if a percent sign begins no escape. */
function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}

export interface Sent {
  readonly headers: { authorization?: string | undefined };
  readonly form: string;
}

/**
 * Some libraries send HTTP Basic with an empty secret for a public client, which the engine refuses as malformed.
 * Returns the form with `client_id` instead, and deletes the header.
 */
export async function withoutEmptySecret({ headers, form }: Sent, clients: Pick<CachedClients, 'find'>) {
  const sent = basicCredentials(headers.authorization ?? '');
  if (sent?.secret !== '') return form;
  const { id } = sent;
  const named = new URLSearchParams(form).getAll('client_id');
  // With a different ID in the body, the engine refuses the request.
  if (named.some((other) => other !== id) || !(await isPublic(id, clients))) return form;
  delete headers.authorization;
  if (named.length > 0) return form;
  return `${form}${form === '' ? '' : '&'}${new URLSearchParams({ client_id: id })}`;
}

/**
 * A push is an authorization request, so the engine wants `client_id` among its parameters. A client that names itself
 * only in its credentials means the same.
 */
export function withClientId({ headers, form }: Sent): string {
  const sent = new URLSearchParams(form);
  if (sent.has('client_id')) return form;
  const id = basicCredentials(headers.authorization ?? '')?.id ?? subjectOf(sent.get('client_assertion'));
  return id === undefined ? form : `${form}${form === '' ? '' : '&'}${new URLSearchParams({ client_id: id })}`;
}

function subjectOf(assertion: string | null): string | undefined {
  try {
    return decodeJwt(assertion ?? '').sub;
  } catch {
    return undefined;
  }
}

async function isPublic(id: string, clients: Pick<CachedClients, 'find'>): Promise<boolean> {
  try {
    return (await clients.find(id))?.metadata.token_endpoint_auth_method === 'none';
  } catch (error) {
    // The engine looks up the client next, and answers this error.
    if (error instanceof Unavailable) return false;
    throw error;
  }
}

interface Credentials {
  readonly id: string;
  readonly secret: string;
}

export interface SecretClientDeps {
  readonly clients: Pick<CachedClients, 'find'>;
  readonly credentials: Pick<CredentialLimits, 'wait' | 'succeeded'>;
}

/**
 * Returns the client that authenticates with its secret, parsed as the engine parses it. Returns undefined if
 * credentials are missing, repeated, malformed or wrong, so that the engine answers. Throws `Unavailable`.
 */
export async function provenBySecret(
  req: IncomingMessage,
  form: ParsedUrlQuery,
  { clients, credentials }: SecretClientDeps,
): Promise<ClientRecord | undefined> {
  const sent = credentialsIn(req, form);
  if (sent === undefined) return undefined;
  const client = await clients.find(sent.id);
  if (client?.disabledAt !== null) return undefined;
  const { token_endpoint_auth_method: method = 'client_secret_basic' } = client.metadata;
  // Basic and post count as one method here.
  if (method !== 'client_secret_basic' && method !== 'client_secret_post') return undefined;
  const presented = presentedBy({ req }, client.id);
  if (credentials.wait(presented) > 0 || !verifySecret(client, sent.secret, nowSeconds())) return undefined;
  credentials.succeeded(presented);
  return client;
}

function credentialsIn({ headers, headersDistinct }: IncomingMessage, form: ParsedUrlQuery): Credentials | undefined {
  const { client_id: id, client_secret: secret, client_assertion: assertion } = form;
  const { authorization = [] } = headersDistinct;
  if (assertion !== undefined || headers['oauth-client-attestation'] !== undefined) return undefined;
  if (headers['oauth-client-attestation-pop'] !== undefined) return undefined;
  if (authorization.length === 0) {
    return typeof id === 'string' && typeof secret === 'string' && secret !== '' ? { id, secret } : undefined;
  }
  const [header = '', ...more] = authorization;
  if (more.length > 0 || secret !== undefined) return undefined;
  const sent = basicIn(header);
  return id === undefined || id === sent?.id ? sent : undefined;
}

/** Returns undefined unless both parts are printable ASCII (RFC 6749, appendix A) and the base64 is padded. */
function basicIn(header: string): Credentials | undefined {
  const sent = basicCredentials(header);
  return sent?.padded && printable.test(sent.id) && printable.test(sent.secret) ? sent : undefined;
}

const printable = /^[\x20-\x7e]+$/;

/**
 * RFC 6749, section 5.2, has no code for "too many requests". `temporarily_unavailable`, which section 4.1.2.1 defines
 * for a server that cannot answer now, tells the client to retry; `invalid_client` would suggest a new secret.
 */
class TooManyAttempts extends errors.OIDCProviderError {
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super(429, 'temporarily_unavailable');
    this.error_description = 'too many attempts, wait a while';
    this.retryAfter = retryAfter;
  }
}

/** An unknown client ID in the request. Kept on the context; only requests with an unknown ID have it. */
const unknownClient = Symbol('unknown client');
type WithUnknownClient = { [unknownClient]?: string };

/** Called by the adapter. The first ID is the requesting client's. */
export function noteUnknownClient(id: string): void {
  const ctx: WithUnknownClient | undefined = Provider.ctx as object | undefined;
  if (ctx) ctx[unknownClient] ??= id;
}

/** Throws if there were too many wrong credentials for this client or from this address. */
export function mayLook(limits: CredentialLimits, clientId: string): void {
  const { ctx } = Provider;
  const wait = ctx ? limits.wait(presentedBy(ctx, clientId)) : 0;
  if (wait > 0) throw new TooManyAttempts(wait);
}

/** Runs after the engine: counts a failure, and answers 429 if it exceeds the limit. */
export async function limitAttempts(ctx: KoaContextWithOIDC, limits: CredentialLimits): Promise<void> {
  const error = failureOf(ctx);
  const unknownId = (ctx as WithUnknownClient)[unknownClient] ?? '';
  const { client } = ctx.oidc;
  if (error === undefined) {
    const proved = ctx.status < 400 && client && client.clientAuthMethod !== 'none';
    if (proved) limits.succeeded(presentedBy(ctx, client.clientId));
    return;
  }
  if (error instanceof TooManyAttempts) {
    await limits.failed(presentedBy(ctx, client?.clientId ?? ''));
    ctx.set('Retry-After', String(error.retryAfter));
    return;
  }
  if (!(error instanceof errors.InvalidClientAuth) || !presents(ctx)) return;
  const retryAfter = await limits.failed(presentedBy(ctx, client?.clientId ?? unknownId), client !== undefined);
  if (retryAfter > 0) refuse(ctx, new TooManyAttempts(retryAfter));
}

function refuse(ctx: KoaContextWithOIDC, error: TooManyAttempts): void {
  ctx.status = error.status;
  ctx.remove('WWW-Authenticate');
  ctx.set('Retry-After', String(error.retryAfter));
  ctx.body = { error: error.message, error_description: error.error_description };
}

/** A request without credentials is no guess. */
function presents({ headers, oidc: { params } }: KoaContextWithOIDC): boolean {
  return Boolean(headers.authorization ?? params?.client_secret ?? params?.client_assertion);
}

function presentedBy(asked: { readonly req: IncomingMessage }, clientId: string): Presented {
  return { kind: 'client', clientId, from: callerOf(asked, 'oauth') };
}
