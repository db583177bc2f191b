/**
 * Imports accounts and their password hashes from another system. Names follow the rules of new accounts; the password
 * rules cannot be applied to a hash. core/sign-in replaces the hash at the first sign-in.
 */
import { nowSeconds } from '../../base/clock.ts';
import { randomName } from '../../base/secrets.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import { emailKey, usernameKey } from '../kernel/names.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import type { AccountStore, ImportedAccount } from '../stores/accounts.ts';
import { type FormProblem, formProblem, ownEmail } from './account-form.ts';
import {
  type AttributeForm,
  changedAttributes,
  type InvalidAttribute,
  noAttributes,
  readAttributes,
} from './attributes.ts';

export interface ImportForm {
  readonly username: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email?: string | undefined;
  readonly verified: boolean;
  readonly admin: boolean;
  readonly disabled: boolean;
  /** As the other system stored it. If left out, the account cannot sign in with a password until one is set. */
  readonly passwordHash?: string | undefined;
  readonly attributes?: AttributeForm | undefined;
  readonly phoneVerified?: boolean | undefined;
}

export type ImportOutcome =
  /** In a dry run: would be imported. */
  | { readonly outcome: 'imported' }
  /** An account had this username before the import. It is unchanged. */
  | { readonly outcome: 'exists' }
  /** An earlier account of this import has the username, or another account has the e-mail address. */
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }
  | Extract<FormProblem, { outcome: 'invalid' }>
  | InvalidAttribute
  | { readonly outcome: 'unusable-hash'; readonly sentence: string };

interface AccountImport {
  /**
   * Imports at most 100 accounts; returns their outcomes in the same order. If it throws `Unavailable`, the call
   * imported none of them, or all valid ones.
   */
  add(forms: readonly ImportForm[]): Promise<ImportOutcome[]>;
}

interface AccountImports {
  /** Begins one import. It remembers usernames: a duplicate in the import is `taken`; a second run returns `exists`. */
  begin(options?: { readonly dryRun?: boolean; readonly caller?: Caller }): AccountImport;
}

export function createAccountImports(parts: {
  stores: { readonly accounts: Pick<AccountStore, 'insertAll'> };
  hasher: Pick<PasswordHasher, 'foreign'>;
  audit: Audit;
}): AccountImports {
  const { hasher, audit } = parts;
  const store = parts.stores.accounts;
  const written = createCallerRecord(audit);

  function read(form: ImportForm, met: Set<string>): Prepared | ImportOutcome {
    const email = form.email ?? ownEmail(form.username);
    const problem = formProblem(form, email);
    if (problem !== undefined) return problem;
    const attributes = readAttributes(form.attributes ?? {});
    if (attributes.outcome === 'invalid') return attributes;
    const told = changedAttributes(noAttributes, attributes.change);
    const hash = form.passwordHash === undefined ? undefined : hasher.foreign(form.passwordHash);
    if (hash?.outcome === 'unusable') return { outcome: 'unusable-hash', sentence: hash.sentence };
    const keys = { username: usernameKey(form.username) ?? '', email: email === undefined ? null : emailKey(email) };
    const repeated = met.has(keys.username);
    met.add(keys.username);
    if (repeated) return { outcome: 'taken', field: 'username' };
    const now = nowSeconds();
    return {
      outcome: 'prepared',
      algorithm: hash?.algorithm,
      account: {
        ...told,
        phoneVerified: form.phoneVerified === true && typeof told.phone === 'string',
        subject: randomName(),
        username: form.username,
        usernameKey: keys.username,
        firstName: form.firstName,
        lastName: form.lastName,
        email: email ?? null,
        emailKey: keys.email ?? null,
        verified: email !== undefined && form.verified,
        twoFactor: false,
        admin: form.admin,
        passwordHash: hash?.stored ?? null,
        disabledAt: form.disabled ? now : null,
        createdAt: now,
      },
    };
  }

  return {
    begin({ dryRun = false, caller } = {}) {
      const met = new Set<string>();
      return {
        async add(forms) {
          const lines = forms.map((form) => read(form, met));
          const prepared = lines.filter((line) => line.outcome === 'prepared');
          const answers = await store.insertAll(
            prepared.map(({ account }) => account),
            { dryRun },
          );
          const outcomes = new Map(prepared.map((line, at) => [line, answers[at]] as const));
          const made = prepared.filter((line) => outcomes.get(line)?.outcome === 'created');
          if (!dryRun)
            await Promise.all(
              made.map(({ account, algorithm }) =>
                written('account.created', account.subject, caller, { imported: algorithm ?? 'no password' }),
              ),
            );
          return lines.map((line) => (line.outcome === 'prepared' ? outcomeOf(outcomes.get(line)) : line));
        },
      };
    },
  };
}

interface Prepared {
  readonly outcome: 'prepared';
  readonly account: ImportedAccount;
  readonly algorithm: string | undefined;
}

function outcomeOf(answer: Awaited<ReturnType<AccountStore['insertAll']>>[number] | undefined): ImportOutcome {
  if (answer?.outcome === 'created') return { outcome: 'imported' };
  return answer?.field === 'email' ? { outcome: 'taken', field: 'email' } : { outcome: 'exists' };
}
