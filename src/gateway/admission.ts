/**
 * Decides whether a request may pass. The checks, in this order, with their status:
 *
 * 1. the spelling of the path (404) and the query (400) that every parser reads alike
 * 2. a route (404)
 * 3. a live token of a kind that the route accepts, and the proof of its key if it is bound (401, or 400 for an OAuth
 *    token that no one could read; 429 after too many wrong client tokens from this address)
 * 4. the scopes of the route (403)
 * 5. the method (405)
 *
 * A caller without a token learns nothing about methods. Only a caller that passes learns whether there is an upstream.
 */
import type { IncomingMessage } from 'node:http';
import type { Caller } from '../core/kernel/caller.ts';
import {
  insufficientScope,
  malformedToken,
  methodNotAllowed,
  notFound,
  type Refused,
  tooManyRequests,
  unauthorized,
} from './answers.ts';
import type { Authenticated, Authenticator, Identity } from './authenticate.ts';
import { isNormalPath, isNormalQuery } from './normal-path.ts';
import { withProof } from './proof-answers.ts';
import type { Demanded, TokenHints } from './protected-resources.ts';
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

/** What decides besides the request itself. */
export interface Gate {
  readonly table: RouteTable;
  readonly authenticate: Authenticator;
  readonly from: Caller;
  /** What a challenge tells the caller. */
  readonly hintsFor: (demand: Demanded) => TokenHints;
}

/** Throws `Unavailable`. */
export async function admit(
  req: IncomingMessage,
  { method, path, query }: Asked,
  { table, authenticate, from, hintsFor }: Gate,
): Promise<Admission> {
  if (!isNormalPath(path)) return refused(notFound);
  if (!isNormalQuery(query)) return refused(badQuery);
  const match = table.match(path, method);
  if (match === undefined) return refused(notFound);
  const authenticated = await authenticate(req, match.route, { from, asked: { method, path } });
  if (authenticated.outcome !== 'identified') return refused(refusalOf(authenticated, match.route, hintsFor));
  if (match.allow) return refused(methodNotAllowed(match.allow));
  const { identity, nonce } = authenticated;
  return { outcome: 'admitted', route: match.route, identity, nonce };
}

export function refusalOf(
  authenticated: Exclude<Authenticated, { outcome: 'identified' }>,
  demand: Demanded,
  hintsFor: Gate['hintsFor'],
): Refused {
  switch (authenticated.outcome) {
    case 'anonymous':
      return unauthorized('anonymous', hintsFor(demand));
    case 'refused': {
      const { why } = authenticated;
      // The contracts of the other kinds of token have 401 only.
      const isOauth = demand.tokens.every((kind) => kind === 'oauth');
      if (why === 'malformed' && isOauth) return malformedToken(hintsFor(demand));
      return withProof(unauthorized(why, hintsFor(demand)), authenticated);
    }
    case 'throttled':
      return tooManyRequests(authenticated.retryAfter);
    case 'insufficient-scope':
      return withProof(insufficientScope(authenticated.scopes, hintsFor(demand)), authenticated);
  }
}

const badQuery: Refused = {
  status: 400,
  error: 'invalid_request',
  description: 'the query holds characters that must be percent-encoded',
};

const refused = (refusal: Refused): Admission => ({ outcome: 'refused', refused: refusal });
