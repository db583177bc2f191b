/**
 * A user's claims (OpenID Connect Core, section 5.1), the scope that releases each, and the claims of an ID token. Only
 * this file makes claims; one without a value is left out.
 */
import type { Account as EngineAccount } from 'oidc-provider';
import { isTold, toldEmail, toldName, toldUsername } from '../../core/accounts/told-names.ts';
import type { IdTokenClaims } from '../../core/clients/metadata/id-token-claims.ts';
import type { Account } from '../../core/stores/accounts.ts';

export const scopeClaims = {
  // The last three describe the sign-in, not the user. The engine adds them to ID tokens if they are listed here.
  openid: ['sub', 'amr', 'acr', 'auth_time'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'picture', 'locale', 'zoneinfo', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  groups: ['groups'],
};

/** ID tokens travel in headers and URLs, so they carry few groups; userinfo returns all. */
const groupsInIdToken = 50;

const standardClaims: ReadonlySet<string> = new Set([
  'name',
  'preferred_username',
  'given_name',
  'family_name',
  'picture',
  'locale',
  'email',
  'email_verified',
  'groups',
]);

/** The engine's account object. `record` is for this server's own endpoints. */
export interface EnginePerson extends EngineAccount {
  readonly record: Account;
  /**
   * `scope`: the granted scopes, separated by spaces. `requested`: the granted members of the `claims` parameter for
   * this use. Both decide which data is read; the caller picks the claims that they release. Throws `Unavailable`.
   */
  claims(use: string, scope: string, requested?: object): Promise<{ sub: string; [claim: string]: unknown }>;
}

export interface ClaimSources {
  /** The names of the user's groups. One round trip, made only if groups are requested. */
  readonly groupsOf: (subject: string) => Promise<readonly string[]>;
  /** The rule for ID tokens of the requesting client. */
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
 * An ID token carries the claims of its client's rule and those that the `claims` parameter names. An unverified e-mail
 * address is never among them, because applications identify users by it.
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

/** Drops empty values: an empty name, and `groups` of a user without groups. */
function valued(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const empty = (value: unknown) =>
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => !empty(value)));
}
