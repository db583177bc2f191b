/** The mistake in a DPoP proof at the token endpoint. Shows single members of the proof only, never the proof. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { CheckName } from '../../core/refusals/checks.ts';
import { shown } from '../../core/refusals/shown.ts';
import { type ProofFault, readProof } from '../../core/tokens/dpop-proof.ts';
import type { Asked, Facts, FactsDeps } from './recorded.ts';

export function proofFacts(check: CheckName, { ctx }: Asked, { issuer }: Pick<FactsDeps, 'issuer'>): Facts {
  switch (check) {
    case 'proof_replayed':
      return { expected: 'a jti that was never used', received: 'a jti that was used before' };
    case 'proof_nonce':
      return { expected: 'the nonce of the DPoP-Nonce header', received: 'none, or an old one' };
    case 'proof_other_key':
      return ctx.get('DPoP') === ''
        ? { check: 'proof_missing', expected: 'a proof of the bound key', received: 'nothing' }
        : { expected: 'a proof of the bound key', received: 'a proof of another key' };
    case 'proof_signature':
      return { expected: 'a signature of the key in jwk', received: 'another signature, or a key of another alg' };
    default: {
      const fault = proofFault(ctx, issuer);
      return fault === undefined ? {} : { expected: shown(fault.expected), received: shown(fault.received) };
    }
  }
}

/** Undefined if the engine may verify the signature. */
export function proofFault(ctx: KoaContextWithOIDC, issuer: string): ProofFault | undefined {
  const request = { method: ctx.method, addresses: [issuer + ctx.path], accessToken: undefined };
  const read = readProof(ctx.req.headersDistinct.dpop ?? [], request);
  return read.outcome === 'refused' ? read.fault : undefined;
}
