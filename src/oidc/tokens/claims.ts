/**
 * A person's claims (OpenID Connect Core, section 5.1), which scope releases them, and which of them an ID token
 * carries. This is the one place that makes them. A claim without a value is left out.
 */
import type { Account as EngineAccount } from 'oidc-provider';
import { isTold, toldEmail, toldName, toldUsername } from '../../core/accounts/told-names.ts';
import type { IdTokenClaims } from '../../core/clients/id-token-claims.ts';
import type { Account } from '../../core/stores/accounts.ts';

export const scopeClaims = {
  // The last three: of the sign-in, not of the person. The engine adds them to ID tokens, where they are named here.
  openid: ['sub', 'amr', 'acr', 'auth_time'],
  profile: [
    ...['name', 'given_name', 'family_name', 'preferred_username', 'picture', 'locale', 'zoneinfo'],
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  groups: ['groups'],
};

/** A token travels in headers and addresses; userinfo has all of a person's groups. */
const groupsInIdToken = 50;

const standardClaims: ReadonlySet<string> = new Set([
  ...['name', 'preferred_username', 'given_name', 'family_name', 'picture', 'locale'],
  ...['email', 'email_verified', 'groups'],
]);

/** What the engine carries along for a person; `record` is ours, for the answers of our own endpoints. */
export interface EnginePerson extends EngineAccount {
  readonly record: Account;
  /**
   * `scope`: as granted, with spaces between. `requested`: members of the `claims` request parameter for this use, as
   * far as they were granted. Both decide what is looked up; the caller picks what they release. Throws `Unavailable`.
   */
  claims(use: string, scope: string, requested?: object): Promise<{ sub: string; [claim: string]: unknown }>;
}

export interface ClaimSources {
  /** Names of the person's groups: one round trip, made only if they are asked for. */
  readonly groupsOf: (subject: string) => Promise<readonly string[]>;
  /** What the ID tokens of the client of this request carry. */
  readonly idTokenClaims: () => IdTokenClaims;
}

export function enginePerson(record: Account, { groupsOf, idTokenClaims }: ClaimSources): EnginePerson {
  return {
    accountId: record.subject,
    record,
    async claims(use, scope, requested = {}) {
      const asksForGroups = scope.split(' ').includes('groups') || Object.hasOwn(requested, 'groups');
      const claims = valued({
        ...personClaims(record),
        groups: asksForGroups ? await groupsOf(record.subject) : undefined,
      });
      return { ...(use === 'id_token' ? inIdToken(claims, idTokenClaims(), requested) : claims), sub: record.subject };
    },
  };
}

function personClaims(record: Account): Readonly<Record<string, unknown>> {
  const told = (name: string) => (name !== '' && isTold(name, record) ? name : undefined);
  const email = toldEmail(record);
  const address = Object.entries(record.address ?? {}).filter(([, value]) => isTold(value, record));
  return {
    name: toldName(record),
    given_name: told(record.firstName),
    family_name: told(record.lastName),
    preferred_username: toldUsername(record),
    picture: record.picture,
    locale: record.locale,
    zoneinfo: record.zoneinfo,
    updated_at: record.updatedAt,
    ...(email !== undefined && { email, email_verified: record.verified }),
    ...(record.phone !== null && { phone_number: record.phone, phone_number_verified: record.phoneVerified }),
    address: address.length === 0 ? undefined : Object.fromEntries(address),
  };
}

/**
 * An ID token carries what its client's rule says and what the `claims` parameter names. An address that is not proved
 * is in none of them: applications sign people in by it.
 */
function inIdToken(
  { email, email_verified: verified, ...claims }: Readonly<Record<string, unknown>>,
  rule: IdTokenClaims,
  requested: object,
): Readonly<Record<string, unknown>> {
  const proved = verified === true ? { email, email_verified: verified } : {};
  const carried = Object.entries({ ...claims, ...proved }).filter(
    ([name]) => Object.hasOwn(requested, name) || rule === 'all' || (rule === 'standard' && standardClaims.has(name)),
  );
  return Object.fromEntries(
    carried.map(([name, value]) => [name, Array.isArray(value) ? value.slice(0, groupsInIdToken) : value]),
  );
}

/** No name is told as `""`, and who is in no group has no `groups`. */
function valued(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const empty = (value: unknown) =>
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => !empty(value)));
}
