/** Errors of OpenSSL and Node about another server's certificate, as text. */
const problems: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'this process does not trust its certificate authority',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate authority is unknown',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'this process does not trust its certificate authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate authority is unknown',
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it is revoked',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
  INVALID_CA: 'its certificate authority may not issue certificates',
  INVALID_PURPOSE: 'it is not for servers',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another host name',
};

/** Returns undefined if the code is not about a certificate. */
export function certificateProblem(code: string): string | undefined {
  return Object.hasOwn(problems, code) ? problems[code] : undefined;
}
