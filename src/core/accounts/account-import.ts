/**
 * Accounts of another system, with the hashes that it made of their passwords. The rules for names are those of a new account
 * (core/accounts); those for passwords cannot be applied to a hash. At the first sign-in core/sign-in puts a hash of ours in
 * its place.
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
  /** As the other system stored it. Left out: an account that cannot sign in with a password until one is set. */
  readonly passwordHash?: string | undefined;
  readonly attributes?: AttributeForm | undefined;
  readonly phoneVerified?: boolean | undefined;
}

export type ImportOutcome =
  /** In a dry run: it would be. */
  | { readonly outcome: 'imported' }
  /** There was an account of that username before this import, and it is as it was. */
  | { readonly outcome: 'exists' }
  /** By an account that came before, in this import or earlier. */
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }
  | Extract<FormProblem, { outcome: 'invalid' }>
  | InvalidAttribute
  | { readonly outcome: 'unusable-hash'; readonly sentence: string };

interface AccountImport {
  /** At most 100 accounts; the outcomes are in their order. Throws `Unavailable`: then none of these was imported, or all that could be were. */
  add(forms: readonly ImportForm[]): Promise<ImportOutcome[]>;
}

interface AccountImports {
  /** One import: it knows the usernames it has met, so that two people whose names are one name here are told apart from a second run. */
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
