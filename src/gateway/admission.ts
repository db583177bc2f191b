/**
 * Decides whether a request may pass. The checks, in this order, with their status:
 *
 * 1. the spelling of the path (404) and the query (400) that every parser reads alike
 * 2. a route (404)
 * 3. a live token of a kind that the route accepts, and the proof of its key if it is bound (401; 429 after too many
 *    wrong client tokens from this address)
 * 4. the scopes of the route (403)
 * 5. the method (405)
 *
 * A caller without a token learns nothing about methods. Only a caller that passes learns whether there is an upstream.
 */
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../core/kernel/caller.ts';
import {
  insufficientScope,
  methodNotAllowed,
  notFound,
  type Refused,
  tooManyRequests,
  unauthorized,
  unproven,
  withProof,
} from './answers.ts';
import type { Authenticated, Authenticator, Identity } from './authenticate.ts';
import { isNormalPath, isNormalQuery } from './normal-path.ts';
import type { Asked, Route, RouteTable } from './routes.ts';

export type Admission =
  /** `nonce`: for the `DPoP-Nonce` header. */
  | {
      readonly outcome: 'admitted';
      readonly route: Route;
      readonly identity: Identity;
      readonly nonce?: string | undefined;
    }
  | { readonly outcome: 'refused'; readonly refused: Refused };

/** Throws `Unavailable`. */
export async function admit(
  req: IncomingMessage,
  { method, path, query }: Asked,
  table: RouteTable,
  authenticate: Authenticator,
  from: Caller,
): Promise<Admission> {
  if (!isNormalPath(path)) return refused(notFound);
  if (!isNormalQuery(query)) return refused(badQuery);
  const match = table.match(path, method);
  if (match === undefined) return refused(notFound);
  const authenticated = await authenticate(req, match.route, { from, asked: { method, path } });
  if (authenticated.outcome !== 'identified') return refused(refusalOf(authenticated));
  if (match.allow) return refused(methodNotAllowed(match.allow));
  const { identity, nonce } = authenticated;
  return { outcome: 'admitted', route: match.route, identity, nonce };
}

export function refusalOf(authenticated: Exclude<Authenticated, { outcome: 'identified' }>): Refused {
  switch (authenticated.outcome) {
    case 'anonymous':
      return unauthorized('anonymous');
    case 'refused': {
      const { why, proof, nonce } = authenticated;
      if (proof !== undefined) return unproven(proof, nonce);
      return nonce === undefined ? unauthorized(why) : withProof(unauthorized(why), nonce);
    }
    case 'throttled':
      return tooManyRequests(authenticated.retryAfter);
    case 'insufficient-scope':
      return withProof(insufficientScope(authenticated.scopes), authenticated.nonce);
  }
}

const badQuery: Refused = {
  status: 400,
  error: 'invalid_request',
  description: 'the query holds characters that must be percent-encoded',
};

const refused = (refusal: Refused): Admission => ({ outcome: 'refused', refused: refusal });
