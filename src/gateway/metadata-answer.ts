/**
 * Answers `/.well-known/oauth-protected-resource`, alone or followed by the path of a resource (RFC 9728, section 3).
 * The documents are public: every origin may read them, whatever headers its client sends along.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../base/json.ts';
import { resourceMetadataPath } from '../core/apis/resource-metadata.ts';
import { methodNotAllowed, notFound, type Refused } from './answers.ts';

/** In seconds. Scopes and routes change seldom, and a client asks again after a refusal. */
const maxAge = 300;
const methods = ['GET', 'HEAD', 'OPTIONS'];

export function isMetadataPath(path: string): boolean {
  return path === resourceMetadataPath || path.startsWith(`${resourceMetadataPath}/`);
}

export function answerMetadata(
  req: IncomingMessage,
  res: ServerResponse,
  { metadata, no }: { metadata: JsonObject | undefined; no: (refused: Refused) => void },
): void {
  const { method = '' } = req;
  // An origin learns from the status, too, that a place has no metadata.
  res.setHeader('Access-Control-Allow-Origin', '*');
  if (!methods.includes(method)) no(methodNotAllowed(methods));
  else if (method === 'OPTIONS') answerPreflight(req, res);
  else if (metadata === undefined) no(notFound);
  else answerDocument(res, method, metadata);
}

function answerDocument(res: ServerResponse, method: string, metadata: JsonObject): void {
  const body = Buffer.from(JSON.stringify(metadata));
  res.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': `public, max-age=${maxAge}`,
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(method === 'HEAD' ? undefined : body);
}

function answerPreflight({ headers }: IncomingMessage, res: ServerResponse): void {
  const asked = headers['access-control-request-headers'];
  if (headers['access-control-request-method'] === undefined) res.setHeader('Allow', methods.join(', '));
  else {
    res.setHeader('Access-Control-Allow-Methods', 'GET, HEAD');
    res.setHeader('Access-Control-Max-Age', '3600');
    res.setHeader('Vary', 'Access-Control-Request-Headers');
    if (asked !== undefined && isNames(asked)) res.setHeader('Access-Control-Allow-Headers', asked);
  }
  res.writeHead(204).end();
}

/** A list of header names (RFC 9110, section 5.6.2). */
const isNames = (text: string): boolean => /^[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}$/.test(text);
