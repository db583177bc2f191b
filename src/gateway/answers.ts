/** Refusals and failures of the gateway itself: JSON with a reference, which the log has too. */
import type { ServerResponse } from 'node:http';
import { bearerChallenge } from '../http/authorization.ts';
import type { ProofAnswer } from '../http/dpop.ts';
import type { TokenHints } from './protected-resources.ts';

export const statuses = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  429: 'Too Many Requests',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
} as const;

export interface Refused {
  readonly status: keyof typeof statuses;
  readonly error: string;
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What was wrong with a DPoP proof, for the record. */
  readonly facts?: ProofAnswer['facts'] & Pick<ProofAnswer, 'check'>;
}

export const notFound: Refused = { status: 404, error: 'not_found', description: 'there is nothing at this address' };
export const tooLarge: Refused = {
  status: 413,
  error: 'payload_too_large',
  description: 'the body is larger than this address takes',
};
export const badGateway: Refused = {
  status: 502,
  error: 'bad_gateway',
  description: 'the service behind this address does not answer',
};
export const gatewayTimeout: Refused = {
  status: 504,
  error: 'gateway_timeout',
  description: 'the service behind this address took too long',
};
export const internal: Refused = {
  status: 502,
  error: 'bad_gateway',
  description: 'the request could not be passed on',
};

export const methodNotAllowed = (allow: readonly string[]): Refused => ({
  status: 405,
  error: 'method_not_allowed',
  description: `this address takes ${allow.join(', ')}`,
  headers: { Allow: allow.join(', ') },
});

export const tooManyRequests = (retryAfter: number): Refused => ({
  status: 429,
  error: 'too_many_requests',
  description: 'too many attempts, wait a while',
  headers: { 'Retry-After': String(retryAfter) },
});

export const unavailable = (retryAfter: number): Refused => ({
  status: 503,
  error: 'temporarily_unavailable',
  description: 'the server cannot answer right now, try again in a moment',
  headers: { 'Retry-After': String(retryAfter) },
});

/** RFC 6750, section 3: one challenge, without an error code if the request has no token. */
export function unauthorized(why: 'anonymous' | 'malformed' | 'expired' | 'invalid', hints: TokenHints): Refused {
  if (why === 'anonymous') {
    const description = 'a token is needed here';
    return { status: 401, error: 'unauthorized', description, headers: bearerChallenge(realm, hints) };
  }
  const description = {
    malformed: 'the Authorization header holds no token',
    expired: 'the token has expired',
    invalid: 'the token is not valid here',
  }[why];
  const error = 'invalid_token';
  const about = { error, error_description: description, ...hints };
  return { status: 401, error, description, headers: bearerChallenge(realm, about) };
}

/** RFC 6750, section 3.1: a token that no one could read makes a malformed request. */
export function malformedToken(hints: TokenHints): Refused {
  const error = 'invalid_request';
  const description = 'the Authorization header holds no token';
  const about = { error, error_description: description, ...hints };
  return { status: 400, error, description, headers: bearerChallenge(realm, about) };
}

/** Names all scopes of the operation, also those that the token has. */
export function insufficientScope(scopes: readonly string[], hints: TokenHints): Refused {
  const error = 'insufficient_scope';
  const scope = scopes.join(' ');
  const description = `the token lacks a scope of: ${scope}`;
  return { status: 403, error, description, headers: bearerChallenge(realm, { error, ...hints, scope }) };
}

const realm = 'gatehouse';

export function refuse(res: ServerResponse, refused: Refused, requestId: string): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const { headers, body } = worded(refused, requestId);
  res.writeHead(refused.status, headers);
  res.end(body);
}

export function worded({ error, description, headers }: Refused, requestId: string) {
  const body = JSON.stringify({ error, error_description: description, reference: requestId });
  return {
    body,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Content-Length': String(Buffer.byteLength(body)),
      'X-Request-Id': requestId,
      ...headers,
    },
  };
}
