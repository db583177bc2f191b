/**
 * Passkeys (WebAuthn level 3): a whole sign-in, since the authenticator verifies its user, or the second step after a
 * password. Making a challenge stores nothing: random bytes and the time, with a MAC that binds them to their purpose.
 * Its return consumes it, by an insert that only one of concurrent requests wins.
 *
 * Checks of an assertion, in this order; all failures look the same to the client:
 *   1. form; 2. challenge: made here, for this purpose, within five minutes;
 *   3. credential: known, of the expected account, and the user handle agrees; 4. challenge not yet consumed;
 *   5. origin, RP ID, user verification, signature; 6. the counter increases, or else the authenticator was cloned.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, digest, randomToken, sameSecret } from '../../base/secrets.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import { displayName } from '../kernel/names.ts';
import type { Mails } from '../mail/mails.ts';
import type { Account, AccountStore } from '../stores/accounts.ts';
import type { EngineStore } from '../stores/engine.ts';
import type { PasskeyRow, PasskeyStore } from '../stores/passkeys.ts';
import { withFactorLetters } from './factor-letters.ts';
import { type Assertion, noPasskeys, type PasskeyMethod } from './passkey-method.ts';
import { newRecoveryCodes, type RecoveryCodeFormat } from './recovery-codes.ts';

/** What a user sees of their passkey. */
interface Passkey {
  readonly id: string;
  /** May be empty. */
  readonly name: string;
  /** The passkey is synchronized to other devices, as by a password manager. */
  readonly synced: boolean;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/** Values of `amr` (RFC 8176). Without attestation, `hwk` is the authenticator's own claim. */
type PasskeyAmr = readonly ['hwk' | 'swk', 'user'];

/** For the audit record. The client sees one error for all. */
export type WrongPasskey = 'malformed' | 'challenge' | 'replayed' | 'unknown' | 'foreign' | 'signature' | 'counter';

type ProveOutcome =
  | { readonly outcome: 'right'; readonly subject: string; readonly amr: PasskeyAmr }
  /** `subject`: the account of the passkey. */
  | { readonly outcome: 'wrong'; readonly why: WrongPasskey; readonly subject?: string };

type BeginOutcome =
  | { readonly outcome: 'begun'; readonly options: string }
  | { readonly outcome: 'not-found' | 'too-many' };

export type EnrolOutcome =
  /** `recoveryCodes`: shown once; empty if the account has some left, or has no password. */
  | { readonly outcome: 'enrolled'; readonly passkey: Passkey; readonly recoveryCodes: readonly string[] }
  /** `refused`: not what was requested, or too late. `taken`: the credential is enrolled already. */
  | { readonly outcome: 'refused' | 'taken' | 'too-many' | 'not-found' | 'bad-name' };

/**
 * `purpose`: the interaction or session that a challenge is for, in a text that nothing else uses. All but
 * `signInOptions` throw `Unavailable` if storage is not available.
 */
export interface Passkeys {
  /** False: this server does not offer passkeys. */
  readonly offered: boolean;
  list(subject: string): Promise<readonly Passkey[]>;
  /** Options for the browser, as JSON. */
  beginEnrolment(subject: string, purpose: string): Promise<BeginOutcome>;
  /** `credential`: the JSON from the browser. */
  finishEnrolment(
    subject: string,
    enrolment: { readonly purpose: string; readonly credential: string; readonly name: string },
    caller?: Caller,
  ): Promise<EnrolOutcome>;
  rename(subject: string, id: string, name: string, caller?: Caller): Promise<'renamed' | 'not-found' | 'bad-name'>;
  /**
   * `last`: it is the account's only sign-in method. `providers`: upstream providers that users can sign in with
   * (sign-in-methods.ts). Left out: none.
   */
  remove(
    subject: string,
    id: string,
    caller?: Caller,
    providers?: readonly string[],
  ): Promise<'removed' | 'not-found' | 'last'>;
  /** Independent of any account, so that it reveals nothing. Empty if passkeys are not offered. */
  signInOptions(purpose: string): string;
  /** Options for the second step of this account, or undefined if it has no passkey. */
  stepOptions(subject: string, purpose: string): Promise<string | undefined>;
  /**
   * `subject`: the account whose password was right. Left out: the passkey is the whole sign-in, and must verify the
   * user.
   */
  prove(assertion: {
    readonly purpose: string;
    readonly assertion: string;
    readonly subject?: string;
  }): Promise<ProveOutcome>;
}

/** Seconds. */
const challengeSeconds = 300;
export const passkeysMax = 20;
const passkeyNameMax = 60;

const randomLength = 32;
const timeLength = 8;

export function createPasskeys(core: {
  stores: {
    readonly passkeys: PasskeyStore;
    readonly accounts: Pick<AccountStore, 'bySubject'>;
    readonly engine: Pick<EngineStore, 'insertOnce'>;
  };
  secrets: { readonly secretKey: string };
  /** If left out, users can only remove passkeys. */
  passkeyMethod: PasskeyMethod | undefined;
  recoveryCodeFormat: RecoveryCodeFormat;
  audit: Audit;
  mails: Pick<Mails, 'later'>;
  changes: Pick<ChangeLog, 'changed'>;
}): Passkeys {
  const { passkeyMethod: method = noPasskeys, recoveryCodeFormat: recoveryCodes, changes } = core;
  const { passkeys: store, accounts, engine } = core.stores;
  const { secretKey } = core.secrets;
  const challengeKey = deriveKey(secretKey, 'passkey-challenge');
  const handleKey = deriveKey(secretKey, 'passkey-handle');

  const seal = (purpose: string, fresh: Buffer): string =>
    createHmac('sha256', challengeKey).update(fresh).update(purpose).digest('base64url');

  const makeChallenge = (purpose: string): string => {
    const fresh = Buffer.alloc(randomLength + timeLength);
    randomBytes(randomLength).copy(fresh);
    fresh.writeBigUInt64BE(BigInt(nowSeconds()), randomLength);
    return Buffer.concat([fresh, Buffer.from(seal(purpose, fresh), 'base64url')]).toString('base64url');
  };

  /** Returns when the challenge ends, or undefined if it was not made here, is for another purpose, or has expired. */
  const challengeEnd = (purpose: string, challenge: string): number | undefined => {
    const bytes = Buffer.from(challenge, 'base64url');
    if (bytes.length !== randomLength + timeLength + 32 || bytes.toString('base64url') !== challenge) return undefined;
    const fresh = bytes.subarray(0, randomLength + timeLength);
    if (!sameSecret(bytes.subarray(fresh.length).toString('base64url'), seal(purpose, fresh))) return undefined;
    const end = Number(fresh.readBigUInt64BE(randomLength)) + challengeSeconds;
    const now = nowSeconds();
    return now < end && end <= now + challengeSeconds + clockSkew ? end : undefined;
  };

  /** Returns false if another request has consumed the challenge. */
  const spend = (challenge: string, end: number): Promise<boolean> =>
    engine.insertOnce(
      {
        key: digest(`passkey-challenge:${challenge}`),
        kind: 'PasskeyChallenge',
        payload: '{}',
        grantId: null,
        clientId: null,
        subject: null,
        sessionUid: null,
        // Kept longer than the challenge, because the clocks of two nodes may differ.
        expiresAt: end + 2 * clockSkew,
      },
      nowSeconds(),
    );

  /**
   * The user handle. Any holder of the authenticator can read it, so it is neither the subject nor personal data. All
   * passkeys of an account share it, or an authenticator keeps a dead passkey beside its successor.
   */
  const handleOf = (subject: string, rows: readonly PasskeyRow[]): string =>
    rows[0]?.handle ?? createHmac('sha256', handleKey).update(subject).digest('base64url');

  const written = createCallerRecord(withFactorLetters(core));

  const add = async (account: Account, row: PasskeyRow, caller: Caller | undefined): Promise<EnrolOutcome> => {
    const { subject } = account;
    // Recovery codes replace a passkey after the password. Without a password, nothing asks for them.
    const codes = account.passwordHash === null ? undefined : newRecoveryCodes(recoveryCodes, subject);
    const inserted = await store.insert(row, codes?.rows ?? [], passkeysMax, nowSeconds());
    if (inserted.outcome !== 'added') return inserted;
    await changes.changed();
    await written('factor.added', subject, caller, { kind: 'passkey' });
    if (inserted.codesStored) await written('recovery_codes.made', subject, caller);
    return {
      outcome: 'enrolled',
      passkey: shown(row),
      recoveryCodes: inserted.codesStored ? (codes?.shown ?? []) : [],
    };
  };

  return {
    offered: method !== noPasskeys,

    list: async (subject) => (await store.list(subject)).map(shown),

    async beginEnrolment(subject, purpose) {
      const [account, rows] = await Promise.all([accounts.bySubject(subject), store.list(subject)]);
      if (account === undefined) return { outcome: 'not-found' };
      if (rows.length >= passkeysMax) return { outcome: 'too-many' };
      const options = method.creationOptions({
        challenge: makeChallenge(enrolment(purpose, subject)),
        handle: handleOf(subject, rows),
        username: account.username,
        displayName: displayName(account),
        exclude: rows.map(credentialName),
      });
      return { outcome: 'begun', options };
    },

    async finishEnrolment(subject, { purpose, credential, name }, caller) {
      const called = readName(name);
      if (called === undefined) return { outcome: 'bad-name' };
      const read = await method.readCredential(credential);
      const end = read && challengeEnd(enrolment(purpose, subject), read.challenge);
      if (read === undefined || end === undefined) return { outcome: 'refused' };
      const [account, rows] = await Promise.all([accounts.bySubject(subject), store.list(subject)]);
      if (account === undefined) return { outcome: 'not-found' };
      if (!(await spend(read.challenge, end))) return { outcome: 'refused' };
      const proved = await read.prove();
      if (proved === undefined) return { outcome: 'refused' };
      const row: PasskeyRow = {
        ...proved,
        id: randomToken(16),
        subject,
        handle: handleOf(subject, rows),
        name: called,
        createdAt: nowSeconds(),
        lastUsedAt: null,
      };
      return add(account, row, caller);
    },

    async rename(subject, id, name, caller) {
      const called = readName(name);
      if (called === undefined) return 'bad-name';
      if (!(await store.rename(subject, id, called))) return 'not-found';
      await written('factor.renamed', subject, caller, { kind: 'passkey' });
      return 'renamed';
    },

    async remove(subject, id, caller, providers = []) {
      const outcome = await store.remove(subject, id, providers, nowSeconds());
      if (outcome !== 'removed') return outcome;
      await changes.changed();
      await written('factor.removed', subject, caller, { kind: 'passkey' });
      return outcome;
    },

    signInOptions: (purpose) => method.requestOptions({ challenge: makeChallenge(purpose) }),

    async stepOptions(subject, purpose) {
      const rows = await store.list(subject);
      if (rows.length === 0) return undefined;
      return method.requestOptions({
        challenge: makeChallenge(step(purpose, subject)),
        allow: rows.map(credentialName),
      });
    },

    async prove({ purpose, assertion: text, subject }) {
      const assertion = await method.readAssertion(text);
      if (assertion === undefined) return { outcome: 'wrong', why: 'malformed' };
      const wanted = subject === undefined ? purpose : step(purpose, subject);
      const end = challengeEnd(wanted, assertion.challenge);
      if (end === undefined) return { outcome: 'wrong', why: 'challenge' };
      const row = await store.find(assertion.credentialId);
      if (row === undefined) return { outcome: 'wrong', why: 'unknown' };
      const wrong = (why: WrongPasskey): ProveOutcome => ({ outcome: 'wrong', why, subject: row.subject });
      if (!isOf(row, assertion, subject)) return wrong('foreign');
      if (!(await spend(assertion.challenge, end))) return wrong('replayed');
      const proved = await method.proveAssertion(assertion, {
        publicKey: row.publicKey,
        userVerified: subject === undefined,
      });
      // Whether a credential is synced never changes (WebAuthn level 3, section 7.2).
      if (proved === undefined || proved.synced !== row.synced) return wrong('signature');
      if (!(await store.use(row.id, proved.counter, nowSeconds()))) return wrong('counter');
      return { outcome: 'right', subject: row.subject, amr: [row.synced ? 'swk' : 'hwk', 'user'] };
    },
  };
}

/** Maximum difference between the clocks of two nodes, in seconds. */
const clockSkew = 30;

/** A challenge works for one step and one account only. */
const step = (purpose: string, subject: string): string => `${purpose} ${subject}`;
const enrolment = (purpose: string, subject: string): string => `enrol ${purpose} ${subject}`;

/**
 * WebAuthn level 3, section 7.2. Without a known account, the user handle is required and must match. With one, the
 * passkey must be the account's, and a user handle, if present, must match.
 */
function isOf(row: PasskeyRow, { userHandle }: Assertion, subject: string | undefined): boolean {
  if (subject === undefined) return userHandle === row.handle;
  return row.subject === subject && (userHandle === undefined || userHandle === row.handle);
}

/** Returns undefined if the name is too long. */
function readName(name: string): string | undefined {
  const called = name.toWellFormed().replaceAll('\0', '\uFFFD').trim();
  return Array.from(called).length <= passkeyNameMax ? called : undefined;
}

const credentialName = ({ credentialId, transports }: PasskeyRow) => ({ id: credentialId, transports });

function shown({ id, name, synced, createdAt, lastUsedAt }: PasskeyRow): Passkey {
  return { id, name, synced, createdAt, lastUsedAt };
}
