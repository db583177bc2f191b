/** Refusals for a sender that uses DPoP, or should have (RFC 9449, sections 7.1 and 9). */
import { proofAlgorithms } from '../core/tokens/dpop-proof.ts';
import type { ProofAnswer } from '../http/dpop.ts';
import type { Refused } from './answers.ts';

/**
 * The refusal with a DPoP challenge in place of the Bearer challenge, and with the mistake in the proof, if there is
 * one. Unchanged if the sender uses no DPoP. The other members of the challenge stay.
 */
export function withProof(
  refused: Refused,
  { proof, nonce }: { readonly proof?: ProofAnswer | undefined; readonly nonce?: string | undefined },
): Refused {
  if (proof === undefined && nonce === undefined) return refused;
  const { 'WWW-Authenticate': bearer = '', ...headers } = refused.headers ?? {};
  const challenge = `${bearer.replace(/^Bearer/, 'DPoP')}, algs="${proofAlgorithms.join(' ')}"`;
  const more = nonce === undefined ? {} : { 'DPoP-Nonce': nonce };
  if (proof === undefined) return { ...refused, headers: { ...headers, 'WWW-Authenticate': challenge, ...more } };
  const { code, words, check, facts } = proof;
  const exact = challenge
    .replace(/error="[^"]*"/, `error="${code}"`)
    .replace(/error_description="[^"]*"/, `error_description="${words}"`);
  return {
    status: 401,
    error: code,
    description: words,
    headers: { ...headers, 'WWW-Authenticate': exact, ...more },
    facts: { check, ...facts },
  };
}
