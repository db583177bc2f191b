/** A client's id and secret, as a request presents them. */
import type { IncomingMessage } from 'node:http';
import type { ParsedUrlQuery } from 'node:querystring';
import { nowSeconds } from '../../base/clock.ts';
import { Unavailable } from '../../base/errors.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { verifySecret } from '../../core/clients/client-secrets.ts';
import type { CredentialLimits } from '../../core/kernel/credential-limits.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { callerOf } from '../../http/caller.ts';

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
  const presented = { kind: 'client', clientId: client.id, from: callerOf({ req }, 'oauth') } as const;
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
