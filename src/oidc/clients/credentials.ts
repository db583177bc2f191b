/**
 * A client's id and secret, as a request presents them, and the limits on wrong ones. The engine says after its answer
 * that a client has not proved itself, so failures are counted behind it; a credential is looked at only where the
 * limits allow it (`mayLook`).
 */
import type { IncomingMessage } from 'node:http';
import type { ParsedUrlQuery } from 'node:querystring';
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
  /** Empty where nothing follows the colon. */
  readonly secret: string;
  /** The base64 is whole; some readers take it without its padding, too. */
  readonly padded: boolean;
}

/**
 * Id and secret in HTTP Basic, each form-encoded before base64 (RFC 6749, section 2.3.1). Returns undefined if the
 * header holds no such pair, or one that is not properly encoded.
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

/** Throws where a percent sign begins no encoding. */
function decoded(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}

interface Sent {
  readonly headers: { authorization?: string | undefined };
  readonly form: string;
}

/**
 * HTTP Basic with an empty secret, as some libraries send for a client that has none: the engine takes it for malformed
 * credentials. Returns the form that says it all, with `client_id`, and then takes the header away.
 */
export async function withoutEmptySecret({ headers, form }: Sent, clients: Pick<CachedClients, 'find'>) {
  const sent = basicCredentials(headers.authorization ?? '');
  if (sent?.secret !== '') return form;
  const { id } = sent;
  const named = new URLSearchParams(form).getAll('client_id');
  // Another id in the body: the engine refuses the two.
  if (named.some((other) => other !== id) || !(await isPublic(id, clients))) return form;
  delete headers.authorization;
  if (named.length > 0) return form;
  return `${form}${form === '' ? '' : '&'}${new URLSearchParams({ client_id: id })}`;
}

async function isPublic(id: string, clients: Pick<CachedClients, 'find'>): Promise<boolean> {
  try {
    return (await clients.find(id))?.metadata.token_endpoint_auth_method === 'none';
  } catch (error) {
    // The engine is about to look for the client too, and has the answer for this.
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
 * The client that proves itself by its secret, read as the engine reads it. Only the plain case is told here: what is
 * missing, doubled, malformed or wrong is undefined, and for the engine to say. Throws `Unavailable`.
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
  // Both ways of sending it are one method here.
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

/** Undefined for anything but printable ASCII (RFC 6749, appendix A) in whole base64. */
function basicIn(header: string): Credentials | undefined {
  const sent = basicCredentials(header);
  return sent?.padded && printable.test(sent.id) && printable.test(sent.secret) ? sent : undefined;
}

const printable = /^[\x20-\x7e]+$/;

/**
 * RFC 6749, section 5.2 has no code for "too many": `temporarily_unavailable`, which the same RFC defines for a server
 * that cannot answer now (section 4.1.2.1), says what a client should do. `invalid_client` would have it ask its
 * operator for another secret.
 */
class TooManyAttempts extends errors.OIDCProviderError {
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super(429, 'temporarily_unavailable');
    this.error_description = 'too many attempts, wait a while';
    this.retryAfter = retryAfter;
  }
}

/** The id that a request names and no client has. On the context itself; only requests that name one have it. */
const unknownClient = Symbol('unknown client');
type WithUnknownClient = { [unknownClient]?: string };

/** Of the adapter. The first one is the client that asks. */
export function noteUnknownClient(id: string): void {
  const ctx: WithUnknownClient | undefined = Provider.ctx as object | undefined;
  if (ctx) ctx[unknownClient] ??= id;
}

/** Throws where too many credentials of this client, or from this address, were wrong. */
export function mayLook(limits: CredentialLimits, clientId: string): void {
  const { ctx } = Provider;
  const wait = ctx ? limits.wait(presentedBy(ctx, clientId)) : 0;
  if (wait > 0) throw new TooManyAttempts(wait);
}

/** Behind the engine: counts what has failed, and answers 429 where it is one too many. */
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

/** A client that sends nothing to prove itself by has guessed nothing. */
function presents({ headers, oidc: { params } }: KoaContextWithOIDC): boolean {
  return Boolean(headers.authorization ?? params?.client_secret ?? params?.client_assertion);
}

function presentedBy(asked: { readonly req: IncomingMessage }, clientId: string): Presented {
  return { kind: 'client', clientId, from: callerOf(asked, 'oauth') };
}
