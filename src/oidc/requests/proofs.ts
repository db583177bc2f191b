/**
 * DPoP proofs at the token endpoint and for pushed requests (RFC 9449, sections 5 and 10). The engine verifies the
 * signature, the nonce and the binding of codes and refresh tokens. Before that, this file checks what the engine
 * leaves open: the number of headers, private keys, and a time window that also holds beside a nonce.
 */
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import { createNonces, nonceKey } from '../../core/tokens/dpop-nonces.ts';
import type { ProtocolDeps } from '../deps.ts';
import { proofFault } from '../refusals/proof-facts.ts';
import { nameCheck } from '../refusals/record.ts';
import { currentUnit } from '../request-unit.ts';

type ProofDeps = Pick<ProtocolDeps, 'secretKey' | 'issuer' | 'config'>;

/** The engine's feature. It calls `requireNonce` for each request with a proof, after the client has authenticated. */
export function dpopFeature({ secretKey, issuer, config }: ProofDeps) {
  return {
    enabled: true,
    nonceSecret: nonceKey(secretKey),
    requireNonce(ctx: KoaContextWithOIDC): boolean {
      const fault = proofFault(ctx, issuer);
      if (fault !== undefined) {
        nameCheck(ctx, fault.check);
        throw new errors.InvalidDpopProof(fault.words);
      }
      const unit = currentUnit();
      if (unit) unit.provesKey = true;
      return config.dpopNonce === 'required';
    },
  };
}

/** The base64url SHA-256 of a key (RFC 7638). Nothing else can ever match a proof. */
const thumbprint = /^[\w-]{43}$/;

/**
 * For the engine's `extraParams`: a wrong thumbprint is refused now, and not when the code is redeemed. The engine
 * would ignore the parameter for a device.
 */
export function checkThumbprint({ oidc }: KoaContextWithOIDC, value: string | undefined): void {
  if (value !== undefined && oidc.route === 'device_authorization')
    throw new errors.InvalidRequest('dpop_jkt must not be sent for a device: it binds authorization codes only');
  if (value !== undefined && !thumbprint.test(value))
    throw new errors.InvalidRequest('dpop_jkt must be the base64url SHA-256 thumbprint of a key');
}

const proofRoutes: ReadonlySet<string | undefined> = new Set(['token', 'pushed_authorization_request']);

/** Every answer to a proof has the next nonce, and so has the refusal of a client that must send proofs. */
export function createNonceHeader({ secretKey }: Pick<ProofDeps, 'secretKey'>) {
  const nonces = createNonces(secretKey);
  return (ctx: KoaContextWithOIDC): void => {
    if (!proofRoutes.has(ctx.oidc?.route)) return;
    const isAbout = ctx.get('DPoP') !== '' || ctx.oidc?.client?.dpopBoundAccessTokens === true;
    if (isAbout && !ctx.response.get('DPoP-Nonce')) ctx.set('DPoP-Nonce', nonces.next());
  };
}

/**
 * Refuses a client that must send proofs and sends none, before its code or refresh token is looked at. The engine
 * answers `invalid_grant`, for which applications sign their users out.
 */
export function demandProof({ dpopBoundAccessTokens }: Client, ctx: KoaContextWithOIDC): void {
  if (dpopBoundAccessTokens === true && ctx.get('DPoP') === '')
    throw new errors.InvalidDpopProof('this client must send a DPoP proof');
}
