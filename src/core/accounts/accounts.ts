/**
 * Creates, changes and removes accounts. Sign-ins are in core/sign-in; core/sessions ends sessions, grants and tokens.
 */
import { nowSeconds } from '../../base/clock.ts';
import { randomName } from '../../base/secrets.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import { emailKey, usernameKey } from '../kernel/names.ts';
import type { BreachedPasswords } from '../passwords/breached-passwords.ts';
import type { PasswordHasher } from '../passwords/password-hasher.ts';
import { breachedPassword, isLongEnough, type PasswordProblem, passwordProblem } from '../passwords/password-rules.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { Account, AccountStore, NewAccount, RemovedAccount } from '../stores/accounts.ts';
import type { Stores } from '../stores/stores.ts';
import { type AccountForm, type FormProblem, formProblem, ownEmail } from './account-form.ts';
import { accountLetters, type LetterParts } from './account-letters.ts';
import { changedMembers, movingPatch } from './account-patch.ts';
import { type AttributeForm, changedAttributes, type InvalidAttribute, readAttributes } from './attributes.ts';

export type CreateOutcome =
  | { readonly outcome: 'created'; readonly account: Account }
  | { readonly outcome: 'taken'; readonly field: 'username' | 'email' }
  | FormProblem;

export type SetPasswordOutcome =
  | { readonly outcome: 'changed' }
  /** There is no such account, or its password hash is not `over`. */
  | { readonly outcome: 'not-found' }
  | { readonly outcome: 'weak-password'; readonly reason: PasswordProblem };

/** Members that are left out stay. */
type Profile = Partial<Pick<Account, 'firstName' | 'lastName'>> & AttributeForm;

type SetProfileOutcome =
  | { readonly outcome: 'changed'; readonly account: Account }
  | { readonly outcome: 'not-found' }
  | Extract<FormProblem, { outcome: 'invalid' }>
  | InvalidAttribute;

interface SetPasswordOptions {
  /** Ends the account's sessions, grants and tokens. */
  readonly endSessions: boolean;
  /** The verified hash, or null for no password. If another change has replaced it since, this one is refused. */
  readonly over?: string | null | undefined;
  /** Uid of the one session that stays. */
  readonly keepSession?: string | undefined;
  /** Ids of the upstream identities to keep; the others are unlinked. If left out, all stay. Requires `over`. */
  readonly keepIdentities?: readonly string[] | undefined;
  readonly caller?: Caller | undefined;
  /** Called with the new hash as soon as it is stored. */
  readonly stored?: ((passwordHash: string) => void) | undefined;
}

export interface Accounts {
  /** All methods throw `Unavailable` if storage or the hasher is not available. */
  create(form: AccountForm, caller?: Caller): Promise<CreateOutcome>;
  /** As `create`, and consumes the link in the same transaction. `gone`: the link was used or never existed. */
  createInvited(form: AccountForm, linkKey: string, caller?: Caller): Promise<CreateOutcome | { outcome: 'gone' }>;
  setPassword(subject: string, password: string, options: SetPasswordOptions): Promise<SetPasswordOutcome>;
  setProfile(subject: string, profile: Profile, caller?: Caller): Promise<SetProfileOutcome>;
  /** Returns false if there is no such account. A second call does not change `disabledAt`. */
  disable(subject: string, caller?: Caller): Promise<boolean>;
  enable(subject: string, caller?: Caller): Promise<boolean>;
  /** `last-admin`: no admin would be left, so nothing was removed. */
  remove(subject: string, caller?: Caller): Promise<RemovedAccount>;
  findBySubject(subject: string): Promise<Account | undefined>;
  findById(id: number): Promise<Account | undefined>;
  /** Matches any spelling of the username. Does not search e-mail addresses. */
  findByUsername(username: string): Promise<Account | undefined>;
}

interface AccountsParts extends LetterParts {
  stores: Pick<Stores, 'accounts'>;
  sessions: Pick<Sessions, 'endAll'>;
  changes: Pick<ChangeLog, 'changed'>;
  hasher: PasswordHasher;
  /** If left out, new passwords are not looked up there. */
  breached?: BreachedPasswords | undefined;
  audit: Audit;
  config: {
    readonly password: {
      /** Code points a new password needs (`PASSWORD_MIN_LENGTH`). */
      readonly minLength: number;
      /** The same for an account with a second factor (`PASSWORD_MIN_LENGTH_SECOND_FACTOR`). */
      readonly minLengthSecondFactor: number;
    };
    /** A password must not consist of it. */
    readonly brandName: string;
  };
}

export function createAccounts(parts: AccountsParts): Accounts {
  const { sessions, changes, hasher, breached, audit, config } = parts;
  const store = parts.stores.accounts;
  const letters = accountLetters(parts);

  const weakness = async (
    password: string,
    own: (string | null | undefined)[],
    { twoFactor }: Pick<Account, 'twoFactor'>,
  ): Promise<PasswordProblem | undefined> => {
    const problem = passwordProblem(password, {
      minLength: twoFactor ? config.password.minLengthSecondFactor : config.password.minLength,
      serviceName: config.brandName,
      own: own.filter((name): name is string => name !== null && name !== undefined && name !== ''),
    });
    // Last, because this check may send a request to another server.
    return problem ?? ((await breached?.includes(password)) ? breachedPassword : undefined);
  };

  const written = createCallerRecord(audit);

  /** Returns the unlinked identities, or undefined if there is no such account or its hash is not `over`. */
  const putHash = async (
    subject: string,
    to: string,
    { over, keepIdentities }: Pick<SetPasswordOptions, 'over' | 'keepIdentities'>,
  ): Promise<readonly { readonly provider: string }[] | undefined> => {
    const now = nowSeconds();
    if (over === undefined) return (await store.update(subject, { passwordHash: to }, now)) && [];
    const change = { from: over, to };
    if (keepIdentities === undefined) return (await store.replacePasswordHash(subject, change, now)) && [];
    return (await store.resetPasswordHash(subject, change, keepIdentities, now))?.unlinked;
  };

  const setDisabled = async (subject: string, disabled: boolean): Promise<boolean> => {
    const account = await store.bySubject(subject);
    if (account === undefined) return false;
    if (disabled === (account.disabledAt !== null)) return true;
    const now = nowSeconds();
    if ((await store.update(subject, { disabledAt: disabled ? now : null }, now)) === undefined) return false;
    // The clients that the account owns stop or work again.
    await changes.changed();
    return true;
  };

  async function make<Made extends Awaited<ReturnType<AccountStore['insertInvited']>>>(
    form: AccountForm,
    caller: Caller | undefined,
    insert: (account: NewAccount) => Promise<Made>,
  ): Promise<Made | FormProblem> {
    const email = form.email ?? ownEmail(form.username);
    const problem = formProblem(form, email);
    if (problem !== undefined) return problem;
    if (form.password !== undefined) {
      const own = [form.username, email, form.firstName, form.lastName, ...(form.notInPassword ?? [])];
      const weak = await weakness(form.password, own, { twoFactor: false });
      if (weak !== undefined) return { outcome: 'weak-password', reason: weak };
    }
    const made = await insert({
      ...form.attributes,
      subject: randomName(),
      username: form.username,
      usernameKey: must(usernameKey(form.username)),
      firstName: form.firstName,
      lastName: form.lastName,
      email: email ?? null,
      emailKey: email === undefined ? null : must(emailKey(email)),
      verified: email !== undefined && form.verified === true,
      twoFactor: false,
      admin: form.admin === true,
      passwordHash: form.password === undefined ? null : await hasher.hash(form.password),
      createdAt: nowSeconds(),
    });
    if (made.outcome === 'created') await written('account.created', made.account.subject, caller);
    return made;
  }

  return {
    create: (form, caller) => make(form, caller, (account) => store.insert(account, form.identity)),
    createInvited: (form, linkKey, caller) => make(form, caller, (account) => store.insertInvited(account, linkKey)),

    async setPassword(subject, password, { endSessions, keepSession, keepIdentities, over, caller, stored }) {
      const account = await store.bySubject(subject);
      if (account === undefined) return { outcome: 'not-found' };
      const weak = await weakness(
        password,
        [account.username, account.email, account.firstName, account.lastName],
        account,
      );
      if (weak !== undefined) return { outcome: 'weak-password', reason: weak };
      const standsAlone = isLongEnough(password, config.password.minLength);
      const passwordHash = await hasher.hash(password, { standsAlone });
      const unlinked = await putHash(subject, passwordHash, { over, keepIdentities });
      if (unlinked === undefined) return { outcome: 'not-found' };
      stored?.(passwordHash);
      // After the change, so that no session with the old password begins afterwards.
      if (endSessions) await sessions.endAll(subject, keepSession);
      await written('account.password_changed', subject, caller);
      for (const { provider } of unlinked) await written('identity.unlinked', subject, caller, { upstream: provider });
      await letters.passwordSet(account, caller);
      return { outcome: 'changed' };
    },

    async setProfile(subject, { firstName, lastName, ...form }, caller) {
      const names = { username: 'unchanged', firstName: firstName ?? '', lastName: lastName ?? '' };
      const problem = formProblem(names, undefined);
      if (problem !== undefined) return problem;
      const read = readAttributes(form);
      if (read.outcome === 'invalid') return read;
      const edited = await store.edit<Account>(subject, nowSeconds(), (account) => {
        const patch = movingPatch(account, { firstName, lastName, ...changedAttributes(account, read.change) });
        return patch === undefined ? { stop: account } : { patch };
      });
      if (edited.outcome === 'stopped') return { outcome: 'changed', account: edited.stop };
      if (edited.outcome !== 'changed') return { outcome: 'not-found' };
      const { before, account } = edited;
      await written('account.profile_changed', subject, caller, { changed: [...changedMembers(before, account)] });
      return { outcome: 'changed', account };
    },

    async disable(subject, caller) {
      if (!(await setDisabled(subject, true))) return false;
      // Also if the account was disabled already: an earlier call may have failed before this line.
      await sessions.endAll(subject);
      await written('account.disabled', subject, caller);
      return true;
    },

    async enable(subject, caller) {
      if (!(await setDisabled(subject, false))) return false;
      await written('account.enabled', subject, caller);
      return true;
    },

    async remove(subject, caller) {
      const account = await store.bySubject(subject);
      // The store removes sessions, grants and tokens in the same transaction.
      const removed = await store.delete(subject);
      if (removed !== 'removed') return removed;
      await changes.changed();
      await written('account.deleted', subject, caller);
      if (account) letters.removed(account, caller);
      return removed;
    },

    findBySubject: (subject) => store.bySubject(subject),
    findById: (id) => store.byId(id),
    async findByUsername(username) {
      const key = usernameKey(username);
      return key === undefined ? undefined : store.byUsernameKey(key);
    },
  };
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A name without a key passed the checks of a new name.');
  return value;
}
