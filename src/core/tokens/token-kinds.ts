/**
 * Every kind of token this server signs for its own API surfaces. Each has a `typ` and an audience of its own (RFC 8725,
 * sections 3.11 and 3.12), so that one kind is never accepted where another is due. OAuth access tokens are `at+jwt`
 * (core/tokens).
 */
interface TokenKind {
  /** The header's `typ`, without `application/`. */
  readonly typ: string;
  /** What the audience is beside the issuer. */
  readonly path: string;
}

/** Tokens of people. The name of the kind is the name of the surface that hands it out. */
const personKinds = {
  identity: { typ: 'identity+jwt', path: '/v1' },
  'security-service': { typ: 'security-service+jwt', path: '/security' },
  tinyoauth: { typ: 'tinyoauth+jwt', path: '/protected' },
} as const satisfies Record<string, TokenKind>;

/** Tokens of programs without a person. */
const clientKinds = {
  'space-guard': { typ: 'space-guard+jwt', path: '/space-guard' },
  'space-guard-refresh': { typ: 'space-guard-refresh+jwt', path: '/space-guard' },
} as const satisfies Record<string, TokenKind>;

export const apiSessionKinds = { ...personKinds, ...clientKinds } as const;

export type PersonKind = keyof typeof personKinds;
export type ApiSessionKind = keyof typeof apiSessionKinds;
