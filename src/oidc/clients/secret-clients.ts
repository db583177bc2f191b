/**
 * A client that proves itself by its secret (RFC 6749, section 2.3.1), read as the engine reads it. Only the plain case is told here:
 * whatever is missing, doubled, malformed or wrong is undefined, and for the engine to say.
 */
import type { IncomingMessage } from 'node:http';
import type { ParsedUrlQuery } from 'node:querystring';
import { nowSeconds } from '../../base/clock.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { verifySecret } from '../../core/clients/client-secrets.ts';
import type { CredentialLimits } from '../../core/kernel/credential-limits.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { callerOf } from '../../http/caller.ts';
import { basicCredentials } from './basic-credentials.ts';

interface Credentials {
  readonly id: string;
  readonly secret: string;
}

export interface SecretClientDeps {
  readonly clients: Pick<CachedClients, 'find'>;
  readonly credentials: Pick<CredentialLimits, 'wait' | 'succeeded'>;
}

/** Throws `Unavailable`. */
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
