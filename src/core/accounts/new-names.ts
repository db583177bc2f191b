/**
 * Rules for new usernames. They apply when a name is chosen, never at a sign-in: existing accounts keep their names.
 */
import { lookAlikeKey, mixesScripts, withoutSigns } from '../kernel/look-alikes.ts';
import { emailKey, type NameProblem, readsAsAddress, usernameProblem } from '../kernel/names.ts';

export interface NamedBy {
  /** The address that the user has just proved: the only address that may be the username. */
  readonly provedEmail?: string | undefined;
  /** The username may read as an unproved address (`NAMES_WITH_AT`). */
  readonly unproved?: boolean | undefined;
}

/** Returns why this may not be the name of a new account, or undefined if it may. */
export function newNameProblem(
  username: string,
  { provedEmail, unproved = false }: NamedBy = {},
): NameProblem | undefined {
  const problem = usernameProblem(username);
  if (problem !== undefined) return problem;
  const name = username.normalize('NFKC');
  // In a sentence, `ceo.` reads as `ceo`.
  if (name.endsWith('.')) return 'ends-with-dot';
  if (isAddress(name, provedEmail)) return undefined;
  if (readsAsAddress(name) && !unproved) return 'unproved-address';
  // The two sides of an address may use different scripts (`иван@example.com`).
  return name.split('@').some(mixesScripts) ? 'mixed-scripts' : undefined;
}

function isAddress(name: string, email: string | undefined): boolean {
  const key = emailKey(name);
  return key !== undefined && email !== undefined && emailKey(email) === key;
}

/** Names that users associate with an operator: RFC 2142, the CA/Browser Forum's mailboxes, and usual signatures. */
const reserved = [
  'abuse',
  'admin',
  'administrator',
  'contact',
  'gatehouse',
  'help',
  'helpdesk',
  'hostmaster',
  'info',
  'mailer-daemon',
  'moderator',
  'no-reply',
  'official',
  'postmaster',
  'root',
  'security',
  'superuser',
  'support',
  'sysadmin',
  'system',
  'webmaster',
];

/** Returns a check for usernames that are reserved or look like a reserved one. `brandName`: `BRAND_NAME`. */
export function createReservedNames(brandName: string): (username: string) => boolean {
  const keys = new Set([...reserved, brandName].map(bareKey));
  return (username) => [username, withoutSigns(username)].some((reading) => keys.has(bareKey(reading)));
}

/** `ad.min`, `AD-MIN` and `аdmin` all read as `admin`. */
function bareKey(name: string): string {
  return lookAlikeKey(name.normalize('NFKC').replaceAll(/[^\p{L}\p{M}\p{N}]/gu, ''));
}
