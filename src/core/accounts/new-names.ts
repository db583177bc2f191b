/**
 * Which names a new account may have. Accounts that are there keep theirs, whatever they are: these rules are asked when a
 * name is given, never when a person signs in.
 */
import { lookAlikeKey, mixesScripts, withoutSigns } from '../kernel/look-alikes.ts';
import { emailKey, type NameProblem, readsAsAddress, usernameProblem } from '../kernel/names.ts';

export interface NamedBy {
  /** The address that this person has proved at this moment: the one address that may be their name. */
  readonly provedEmail?: string | undefined;
  /** A name may read as an address although no one has proved it (`NAMES_WITH_AT`). */
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
  // `ceo.` in a sentence is read as `ceo`.
  if (name.endsWith('.')) return 'ends-with-dot';
  if (isAddress(name, provedEmail)) return undefined;
  if (readsAsAddress(name) && !unproved) return 'unproved-address';
  // The two sides of an address may be of two scripts (`иван@example.com`).
  return name.split('@').some(mixesScripts) ? 'mixed-scripts' : undefined;
}

function isAddress(name: string, email: string | undefined): boolean {
  const key = emailKey(name);
  return key !== undefined && email !== undefined && emailKey(email) === key;
}

/** Names by which people know an operator: RFC 2142, the CA/Browser Forum's mailboxes, and what services sign with. */
const reserved = [
  ...[
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
  ],
  ...[
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
  ],
  'webmaster',
];

/** Whether a name is an operator's, or looks like one. `brandName`: as in `BRAND_NAME`. */
export function createReservedNames(brandName: string): (username: string) => boolean {
  const keys = new Set([...reserved, brandName].map(bareKey));
  return (username) => [username, withoutSigns(username)].some((reading) => keys.has(bareKey(reading)));
}

/** `ad.min`, `AD-MIN` and `аdmin` are read as `admin`. */
function bareKey(name: string): string {
  return lookAlikeKey(name.normalize('NFKC').replaceAll(/[^\p{L}\p{M}\p{N}]/gu, ''));
}
