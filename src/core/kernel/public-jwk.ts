/** Members of a JWK with private or secret material (RFC 7518, section 6). */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export const isPublicJwk = (jwk: object): boolean => !privateMembers.some((name) => Object.hasOwn(jwk, name));
