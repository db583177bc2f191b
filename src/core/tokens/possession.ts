/**
 * Whether the sender of an access token holds the key that it is bound to (RFC 9449, section 7). The checks, in this
 * order: a bound token has a proof, and only a bound one; the proof's members (dpop-proof.ts); its signature; its
 * nonce; its key is the token's; it was not used before. Only the last one costs a write, for bound tokens alone.
 *
 * Used proofs are stored in the database. Redis is a cache here: it may be flushed, and then it would forget them.
 */
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { nowSeconds } from '../../base/clock.ts';
import { digest } from '../../base/secrets.ts';
import type { EngineStore } from '../stores/engine.ts';
import type { Nonces } from './dpop-nonces.ts';
import {
  fault,
  type Proof,
  type ProofCheck,
  type ProofFault,
  type ProvenRequest,
  proofAlgorithms,
  proofWindowSeconds,
  readProof,
} from './dpop-proof.ts';
import type { Looked } from './live-token.ts';

/** A request that sends its token with the scheme DPoP. */
export interface ShownProof extends Pick<ProvenRequest, 'method' | 'addresses'> {
  /** Every DPoP header. */
  readonly proofs: readonly string[];
}

/** `proven`: the sender showed a proof when its connection began, and the token is looked at again. */
export type Possession = ShownProof | 'proven';

interface PossessionDeps {
  readonly engine: Pick<EngineStore, 'insertOnce'>;
  readonly nonces: Nonces;
  readonly nonce: 'offered' | 'required';
}

/** `possession` is undefined for a token that was sent as a Bearer token. Throws `Unavailable`. */
export function createPossession(deps: PossessionDeps) {
  return async (looked: Looked, token: string, possession: Possession | undefined): Promise<Looked> => {
    if (looked.outcome === 'refused') return looked;
    const { client, claims } = looked;
    const { cnf } = claims;
    if (cnf === undefined) return possession === undefined ? looked : { outcome: 'refused', reason: 'unbound', client };
    // A token that is bound in another way needs a check that this server does not have (RFC 8705).
    if (possession === undefined || typeof cnf.jkt !== 'string') return { outcome: 'refused', reason: 'bound', client };
    if (possession === 'proven') return looked;
    const found = await faultOf(token, cnf.jkt, possession, deps);
    return found === undefined ? looked : { outcome: 'refused', reason: 'proof', fault: found, client };
  };
}

async function faultOf(
  token: string,
  jkt: string,
  { proofs, ...request }: ShownProof,
  { engine, nonces, nonce: rule }: PossessionDeps,
): Promise<ProofFault | undefined> {
  const read = readProof(proofs, { ...request, accessToken: token });
  if (read.outcome === 'refused') return read.fault;
  const { proof } = read;
  if (!(await isSigned(proof))) return faults.proof_signature;
  const wrongNonce = proof.nonce === undefined ? rule === 'required' : !nonces.isGood(proof.nonce);
  if (wrongNonce)
    return proof.nonce === undefined ? faults.proof_nonce : { ...faults.proof_nonce, received: 'another' };
  if ((await calculateJwkThumbprint(proof.jwk)) !== jkt) return faults.proof_other_key;
  return (await isFirstUse(engine, jkt, proof)) ? undefined : faults.proof_replayed;
}

async function isSigned({ text }: Proof): Promise<boolean> {
  try {
    await jwtVerify(text, EmbeddedJWK, {
      algorithms: [...proofAlgorithms],
      typ: 'dpop+jwt',
      clockTolerance: proofWindowSeconds,
    });
    return true;
  } catch {
    return false;
  }
}

/** Of concurrent uses one gets true, on whatever node. Kept for as long as `iat` can pass. */
function isFirstUse(engine: PossessionDeps['engine'], jkt: string, { jti }: Proof): Promise<boolean> {
  const now = nowSeconds();
  const row = {
    key: digest(`dpop:${jkt}:${jti}`),
    kind: 'ProofUse',
    payload: '{}',
    grantId: null,
    clientId: null,
    subject: null,
    sessionUid: null,
    expiresAt: now + 2 * proofWindowSeconds + 1,
  };
  return engine.insertOnce(row, now);
}

const faults = {
  proof_signature: fault(
    'proof_signature',
    'the signature of the DPoP proof is not valid',
    'a signature of the key in jwk',
    'another signature, or a key of another alg',
  ),
  proof_nonce: fault(
    'proof_nonce',
    'the DPoP proof needs the nonce of the DPoP-Nonce header',
    'the nonce of the DPoP-Nonce header',
    'no nonce',
  ),
  proof_other_key: fault(
    'proof_other_key',
    'the access token is bound to another key than that of the DPoP proof',
    'a proof of the bound key',
    'a proof of another key',
  ),
  proof_replayed: fault(
    'proof_replayed',
    'the DPoP proof has been used before',
    'a jti that was never used',
    'a jti that was used before',
  ),
} as const satisfies Partial<Record<ProofCheck, ProofFault>>;
