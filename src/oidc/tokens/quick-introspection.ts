/**
 * A fast path for the common introspection request: a form, a client with a secret, a token. Any other request, and
 * every refusal, is left to the engine, so that only one place refuses. A test compares both paths for a table of
 * credentials.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'node:querystring';
import { Unavailable } from '../../base/errors.ts';
import type { Apis } from '../../core/apis/apis.ts';
import { type Introspection, introspectionOf } from '../../core/tokens/introspection.ts';
import type { Tokens } from '../../core/tokens/tokens.ts';
import { bodyOnce } from '../../http/body.ts';
import { provenBySecret, type SecretClientDeps } from '../clients/credentials.ts';
import { wantsSigned } from './signed-introspection.ts';

interface QuickIntrospectionDeps extends SecretClientDeps {
  readonly tokens: Pick<Tokens, 'find'>;
  readonly apis: Pick<Apis, 'find'>;
}

/** Parameters that must not be repeated. */
const parameters = ['token', 'token_type_hint', 'client_id', 'client_secret', 'client_assertion'];

/** Returns false if the request is left to the engine. */
export function quickIntrospection(deps: QuickIntrospectionDeps) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    if (!isPlain(req)) return false;
    const body = await bodyOnce(req).catch(() => undefined);
    const found = body && (await answerTo(req, body, deps).catch(unlessAway));
    if (!found) return false;
    const bytes = Buffer.from(JSON.stringify(found));
    res.writeHead(200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': bytes.length,
      // As the engine answers a request without an origin.
      'Access-Control-Allow-Origin': '*',
      Vary: 'Origin',
    });
    res.end(bytes);
    return true;
  };
}

async function answerTo(
  req: IncomingMessage,
  body: Buffer,
  deps: QuickIntrospectionDeps,
): Promise<Introspection | undefined> {
  const form = parse(body.toString('utf8'));
  const { token } = form;
  if (typeof token !== 'string' || token === '' || parameters.some((name) => Array.isArray(form[name])))
    return undefined;
  const client = await provenBySecret(req, form, deps);
  // A signed response is the slower path's.
  if (client === undefined || wantsSigned(client, req.headers.accept)) return undefined;
  return introspectionOf(await deps.tokens.find(token), client.id, deps.apis);
}

function isPlain({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'POST' &&
    headers.origin === undefined &&
    /^application\/x-www-form-urlencoded(; ?charset=utf-8)?$/i.test(headers['content-type'] ?? '')
  );
}

/** The engine meets the same failure and answers it. */
function unlessAway(error: unknown): undefined {
  if (!(error instanceof Unavailable)) throw error;
}
