/**
 * The kinds of tokens that this server signs for its API surfaces. Each has its own `typ` and audience (RFC 8725,
 * sections 3.11 and 3.12), so one kind is never accepted as another. OAuth access tokens are `at+jwt` (core/tokens).
 */
interface TokenKind {
  /** The header's `typ`, without `application/`. */
  readonly typ: string;
  /** The audience is the issuer followed by this path. */
  readonly path: string;
}

/** Tokens of users. Each kind has the name of the surface that issues it. */
const personKinds = {
  identity: { typ: 'identity+jwt', path: '/v1' },
  'security-service': { typ: 'security-service+jwt', path: '/security' },
  tinyoauth: { typ: 'tinyoauth+jwt', path: '/protected' },
} as const satisfies Record<string, TokenKind>;

/** Tokens of programs without a user. */
const clientKinds = {
  'space-guard': { typ: 'space-guard+jwt', path: '/space-guard' },
  'space-guard-refresh': { typ: 'space-guard-refresh+jwt', path: '/space-guard' },
} as const satisfies Record<string, TokenKind>;

export const apiSessionKinds = { ...personKinds, ...clientKinds } as const;

export type PersonKind = keyof typeof personKinds;
export type ApiSessionKind = keyof typeof apiSessionKinds;
