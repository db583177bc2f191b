/**
 * Passkeys (WebAuthn level 3): enrolled by a person who has just signed in, and worth a whole sign-in, since the authenticator
 * verifies its person, or the second step after a password.
 *
 * A challenge is made without writing anything down: random bytes and the time, under a keyed hash that binds them to what they are
 * for (this interaction, this enrolment). It is used up when it comes back, by the insert that only one of concurrent requests wins.
 *
 * An assertion is looked at in this order, and every way to fail gives the same answer outside:
 * 1. its form; 2. its challenge: made here, for this, within five minutes; 3. its credential: known, and of the account that is
 * asked (the authenticator's own word for the account, the user handle, must agree); 4. the challenge is used up, so a replay ends
 * here; 5. origin, RP ID, user verification and signature; 6. the counter goes forward. A counter that does not has been
 * cloned, or this is a replay of an assertion whose challenge has been forgotten.
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

/** What a person may see of a passkey of theirs. */
interface Passkey {
  readonly id: string;
  /** May be empty. */
  readonly name: string;
  /** It follows the person to other devices, as a password manager has it. */
  readonly synced: boolean;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/** How a passkey proves a person, in RFC 8176's words. Without attestation `hwk` is what the authenticator says of itself. */
type PasskeyAmr = readonly ['hwk' | 'swk', 'user'];

/** For the audit record; outside they are one. */
export type WrongPasskey = 'malformed' | 'challenge' | 'replayed' | 'unknown' | 'foreign' | 'signature' | 'counter';

type ProveOutcome =
  | { readonly outcome: 'right'; readonly subject: string; readonly amr: PasskeyAmr }
  /** `subject`: whose passkey it would have been. */
  | { readonly outcome: 'wrong'; readonly why: WrongPasskey; readonly subject?: string };

type BeginOutcome =
  | { readonly outcome: 'begun'; readonly options: string }
  | { readonly outcome: 'not-found' | 'too-many' };

export type EnrolOutcome =
  /** `recoveryCodes`: to be shown now and never again; none where the account has some left, or no password that they would follow. */
  | { readonly outcome: 'enrolled'; readonly passkey: Passkey; readonly recoveryCodes: readonly string[] }
  /** `refused`: not what was asked for, or too late. `taken`: the authenticator's credential is enrolled already. */
  | { readonly outcome: 'refused' | 'taken' | 'too-many' | 'not-found' | 'bad-name' };

/**
 * `purpose` is what a challenge is good for: the interaction or session, in a text that nothing else uses. All but
 * `signInOptions` throw `Unavailable` where storage cannot answer.
 */
export interface Passkeys {
  /** False: there is no such way to sign in. */
  readonly offered: boolean;
  list(subject: string): Promise<readonly Passkey[]>;
  /** Options for the browser, as JSON. */
  beginEnrolment(subject: string, purpose: string): Promise<BeginOutcome>;
  /** `credential`: as the browser sent it, JSON. */
  finishEnrolment(
    subject: string,
    enrolment: { readonly purpose: string; readonly credential: string; readonly name: string },
    caller?: Caller,
  ): Promise<EnrolOutcome>;
  rename(subject: string, id: string, name: string, caller?: Caller): Promise<'renamed' | 'not-found' | 'bad-name'>;
  /**
   * `last`: it is the only way into the account. `providers`: with which people can sign in instead
   * (core/factors/sign-in-methods); left out: none.
   */
  remove(
    subject: string,
    id: string,
    caller?: Caller,
    providers?: readonly string[],
  ): Promise<'removed' | 'not-found' | 'last'>;
  /** The same for every visitor: it says nothing of any account. Empty where passkeys are not offered. */
  signInOptions(purpose: string): string;
  /** For the second step of this account: undefined where it has no passkey. */
  stepOptions(subject: string, purpose: string): Promise<string | undefined>;
  /** `subject`: the account whose password came before; left out: the passkey is all there is, and must have verified its person. */
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
  /** Left out: people who have some can only remove them. */
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

  /** When it ends; undefined where it was not made here, not for this, or is over. */
  const challengeEnd = (purpose: string, challenge: string): number | undefined => {
    const bytes = Buffer.from(challenge, 'base64url');
    if (bytes.length !== randomLength + timeLength + 32 || bytes.toString('base64url') !== challenge) return undefined;
    const fresh = bytes.subarray(0, randomLength + timeLength);
    if (!sameSecret(bytes.subarray(fresh.length).toString('base64url'), seal(purpose, fresh))) return undefined;
    const end = Number(fresh.readBigUInt64BE(randomLength)) + challengeSeconds;
    const now = nowSeconds();
    return now < end && end <= now + challengeSeconds + clockSkew ? end : undefined;
  };

  /** False where another request has used it up. */
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
        // Kept beyond the end by what the clocks of two nodes may differ.
        expiresAt: end + 2 * clockSkew,
      },
      nowSeconds(),
    );

  /**
   * By this an authenticator tells accounts apart, and it hands it to whoever holds it: so not the subject, which applications
   * know, nor anything of the person's. The same for all passkeys of an account, else an authenticator would keep a dead one beside
   * its successor.
   */
  const handleOf = (subject: string, rows: readonly PasskeyRow[]): string =>
    rows[0]?.handle ?? createHmac('sha256', handleKey).update(subject).digest('base64url');

  const written = createCallerRecord(withFactorLetters(core));

  const add = async (account: Account, row: PasskeyRow, caller: Caller | undefined): Promise<EnrolOutcome> => {
    const { subject } = account;
    // They stand in for a passkey after the password; where there is none, nothing asks for them.
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
      // A credential is synced or it is not, from its beginning (WebAuthn level 3, section 7.2).
      if (proved === undefined || proved.synced !== row.synced) return wrong('signature');
      if (!(await store.use(row.id, proved.counter, nowSeconds()))) return wrong('counter');
      return { outcome: 'right', subject: row.subject, amr: [row.synced ? 'swk' : 'hwk', 'user'] };
    },
  };
}

/** Between the clocks of two nodes, in seconds. */
const clockSkew = 30;

/** A challenge of the page before must not open the next one, nor one account's another's. */
const step = (purpose: string, subject: string): string => `${purpose} ${subject}`;
const enrolment = (purpose: string, subject: string): string => `enrol ${purpose} ${subject}`;

/**
 * WebAuthn level 3, section 7.2: where nobody has been named before, the user handle must be there and name the account; where
 * somebody has, the credential must be theirs, and the handle, if there is one, say the same.
 */
function isOf(row: PasskeyRow, { userHandle }: Assertion, subject: string | undefined): boolean {
  if (subject === undefined) return userHandle === row.handle;
  return row.subject === subject && (userHandle === undefined || userHandle === row.handle);
}

/** Undefined: too long. */
function readName(name: string): string | undefined {
  const called = name.toWellFormed().replaceAll('\0', '\uFFFD').trim();
  return Array.from(called).length <= passkeyNameMax ? called : undefined;
}

const credentialName = ({ credentialId, transports }: PasskeyRow) => ({ id: credentialId, transports });

function shown({ id, name, synced, createdAt, lastUsedAt }: PasskeyRow): Passkey {
  return { id, name, synced, createdAt, lastUsedAt };
}
