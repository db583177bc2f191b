/** A person's claims (OpenID Connect Core, section 5.1) and which scope releases them. */
import type { Account as EngineAccount } from 'oidc-provider';
import type { Account } from '../core/stores/accounts.ts';
import { isTold, toldEmail, toldName, toldUsername } from '../core/told-names.ts';

export const scopeClaims = {
  // The last three: of the sign-in, not of the person. The engine adds them to ID tokens, where they are named here.
  openid: ['sub', 'amr', 'acr', 'auth_time'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
};

/** What the engine carries along for a person; `record` is ours, for the answers of our own endpoints. */
export interface EnginePerson extends EngineAccount {
  readonly record: Account;
}

export function enginePerson(record: Account): EnginePerson {
  return {
    accountId: record.subject,
    record,
    claims() {
      const [name, username, email] = [toldName(record), toldUsername(record), toldEmail(record)];
      return {
        sub: record.subject,
        ...(name === undefined ? {} : { name }),
        ...(isTold(record.firstName, record) ? { given_name: record.firstName } : {}),
        ...(isTold(record.lastName, record) ? { family_name: record.lastName } : {}),
        ...(username === undefined ? {} : { preferred_username: username }),
        updated_at: record.updatedAt,
        ...(email === undefined ? {} : { email, email_verified: record.verified }),
      };
    },
  };
}
