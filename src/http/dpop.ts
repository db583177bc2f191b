/** DPoP at this server's own resources (RFC 9449, section 7): the token and proof of a request, and their refusals. */
import type { IncomingMessage } from 'node:http';
import { Refusal, type RefusalCode } from '../base/errors.ts';
import type { CheckName } from '../core/refusals/checks.ts';
import { shown } from '../core/refusals/shown.ts';
import { proofAlgorithms } from '../core/tokens/dpop-proof.ts';
import type { RefusedToken } from '../core/tokens/live-token.ts';
import type { ShownProof } from '../core/tokens/possession.ts';
import { bearerOf, tokenOf } from './authorization.ts';

type Presented =
  /** `possession` is undefined for a Bearer token. */
  | { readonly outcome: 'token'; readonly token: string; readonly possession: ShownProof | undefined }
  /** No Authorization header, or one of another scheme. */
  | { readonly outcome: 'none' }
  | { readonly outcome: 'malformed' };

/** The token of either scheme. `addresses`: those at which the outside reaches this request, without query. */
export function presentedToken(req: IncomingMessage, addresses: readonly string[], method?: string): Presented {
  const bearer = bearerOf(req);
  if (bearer.outcome !== 'none') return bearer.outcome === 'token' ? { ...bearer, possession: undefined } : bearer;
  const bound = tokenOf(req, 'dpop');
  return bound.outcome === 'token' ? { ...bound, possession: shownProof(req, addresses, method) } : bound;
}

/** `method`: that of the request in question, if it is not this one. */
export function shownProof(
  { method: own = '', headersDistinct }: IncomingMessage,
  addresses: readonly string[],
  method = own,
): ShownProof {
  return { proofs: headersDistinct.dpop ?? [], method, addresses };
}

export interface ProofAnswer {
  readonly code: Extract<RefusalCode, 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce'>;
  readonly words: string;
  readonly check: CheckName;
  /** For the record of the refusal. */
  readonly facts: { readonly expected?: string; readonly received?: string; readonly clientId?: string | undefined };
}

/** Undefined if the token was refused for another reason. */
export function proofAnswer({ reason, fault, client }: RefusedToken): ProofAnswer | undefined {
  switch (reason) {
    case 'bound':
      return {
        code: 'invalid_token',
        words: 'the access token is bound to a key: send it with the scheme DPoP and a proof',
        check: 'token_bound',
        facts: { expected: 'the scheme DPoP and a proof', received: 'a Bearer token', clientId: client?.id },
      };
    case 'unbound':
      return {
        code: 'invalid_token',
        words: 'the access token is not bound to a key: send it as a Bearer token',
        check: 'token_unbound',
        facts: { expected: 'the scheme Bearer', received: 'the scheme DPoP', clientId: client?.id },
      };
    case 'proof': {
      const { check = 'proof_malformed', words = 'the DPoP proof is wrong', expected, received } = fault ?? {};
      const code = check === 'proof_nonce' ? 'use_dpop_nonce' : 'invalid_dpop_proof';
      return {
        code,
        words,
        check,
        facts: { expected: shown(expected), received: shown(received), clientId: client?.id },
      };
    }
    default:
      return undefined;
  }
}

/** The header of a 401 to a request that sent a proof, or should have (RFC 9449, section 7.1). */
export function proofChallenge(
  realm: string,
  about: Readonly<Record<string, string>> = {},
): { readonly 'WWW-Authenticate': string } {
  const parameters = { realm, ...about, algs: proofAlgorithms.join(' ') };
  const texts = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return { 'WWW-Authenticate': `DPoP ${texts.join(', ')}` };
}

/** A refused proof of a JSON surface. */
export class ProofRefusal extends Refusal {
  /** The members of its record. */
  readonly facts: ProofAnswer['facts'] & Pick<ProofAnswer, 'check'>;

  /** `hints`: further members of the challenge. */
  constructor({ code, words, check, facts }: ProofAnswer, realm: string, hints: Readonly<Record<string, string>> = {}) {
    super(code, words, proofChallenge(realm, { error: code, error_description: words, ...hints }));
    this.facts = { check, ...facts };
  }
}
