/**
 * People who make their own account: the page, and the API surfaces that register. Whether they may is `SIGN_UP`; what an
 * account may be is core/accounts/accounts.
 */
import type { AccountForm } from '../accounts/account-form.ts';
import type { Accounts, CreateOutcome } from '../accounts/accounts.ts';
import { claimTries, type EmailClaims } from '../accounts/email-claims.ts';
import type { Emails } from '../accounts/emails.ts';
import { createReservedNames, type NamedBy, newNameProblem } from '../accounts/new-names.ts';
import type { Caller } from '../kernel/caller.ts';
import { emailKey, emailProblem, type NameProblem, nameProblems, usernameKey } from '../kernel/names.ts';
import { addressThrottleKey } from '../kernel/throttle-keys.ts';
import type { NewIdentity } from '../stores/identities.ts';
import type { Throttle } from '../stores/throttle.ts';

export interface SignUpForm {
  readonly username: string;
  /** Undefined: the account is signed in to in another way. */
  readonly password: string | undefined;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email?: string | undefined;
  readonly identity?: NewIdentity;
}

export type SignUpOutcome =
  | CreateOutcome
  /** Nobody may, or only the invited. */
  | { readonly outcome: 'closed' }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

interface SignUpOptions {
  /** Somebody who may make accounts for others asks; only the limiter still counts. */
  readonly vouched?: true;
  /**
   * What becomes of the e-mail address. Left out, by the API surfaces: there is none but a username of that form, which
   * `NAMES_WITH_AT` allows; the account has it at once, unproved, and one that an account has is refused. `later`: the
   * account has it when it is proved, so that no answer tells whose it is. `proved`: it has been.
   */
  readonly email?: 'later' | 'proved';
}

/** Of an invitation: the key of its link, and whether opening that has proved the address. */
interface SignUpInvitation {
  readonly linkKey: string;
  readonly proved: boolean;
}

/** The invitation is used up, or was none. */
type Gone = { readonly outcome: 'gone' };
type Made = CreateOutcome | Gone;

export interface SignUp {
  /** Returns why people may not give themselves this name. `provedEmail`: what they have proved at this moment. */
  nameProblem(username: string, provedEmail?: string): NameProblem | undefined;
  /** Throws `Unavailable`. */
  signUp(form: SignUpForm, caller: Caller, options?: SignUpOptions): Promise<SignUpOutcome>;
  /** The invitation is used up with the account it makes: both or neither, whatever happens. Throws `Unavailable`. */
  accept(form: SignUpForm, caller: Caller, invitation: SignUpInvitation): Promise<SignUpOutcome | Gone>;
}

export function createSignUp(deps: {
  accounts: Pick<Accounts, 'create' | 'createInvited' | 'findByUsername'>;
  claims: Pick<EmailClaims, 'isProved' | 'free'>;
  emails: Pick<Emails, 'requestChange'>;
  throttle: Throttle;
  config: {
    readonly signUp: 'open' | 'invite' | 'off';
    /** `surfaces`: what the API surfaces register may read as an address. */
    readonly namesWithAt: 'off' | 'surfaces';
    readonly brandName: string;
    /** Attempts from one address within the window: the same counter as failed sign-ins. */
    readonly throttle: { readonly addressLimit: number; readonly window: number };
  };
}): SignUp {
  const { accounts, claims, emails, throttle, config } = deps;
  const isReserved = createReservedNames(config.brandName);

  const problemOf = (username: string, by: NamedBy): NameProblem | undefined =>
    newNameProblem(username, by) ?? (isReserved(username) ? 'reserved' : undefined);
  const underWay = new Map<string, Promise<unknown>>();

  /** Of many who want one name at once only one password is hashed: the others find the name taken. */
  async function inTurn(username: string, create: () => Promise<Made>): Promise<Made> {
    const key = usernameKey(username);
    if (key === undefined) return create();
    const before = underWay.get(key);
    const mine = (async () => {
      await before?.catch(() => {});
      if (await accounts.findByUsername(username)) return { outcome: 'taken', field: 'username' } as const;
      return create();
    })();
    underWay.set(key, mine);
    try {
      return await mine;
    } finally {
      if (underWay.get(key) === mine) underWay.delete(key);
    }
  }

  /** The account has the address from its first moment on. Whoever named it without proving it loses it only to an account. */
  async function createProved(
    form: AccountForm & { readonly email: string },
    caller: Caller,
    create: (form: AccountForm) => Promise<Made>,
  ): Promise<Made> {
    const taken = { outcome: 'taken', field: 'email' } as const;
    // Of an address that is the username too, the database may name either as taken.
    const named = emailKey(form.username) === emailKey(form.email);
    // Asked first, because here it may be said: who comes this way has been in that mailbox.
    if (await claims.isProved(form.email)) return taken;
    for (let tries = 0; tries < claimTries; tries += 1) {
      const made = await create({ ...form, verified: true });
      if (made.outcome !== 'taken' || !(named || made.field === 'email')) return made;
      if (await claims.isProved(form.email)) return taken;
      await claims.free(form.email, caller);
    }
    return taken;
  }

  async function make(
    form: SignUpForm,
    caller: Caller,
    { vouched, email: fate }: SignUpOptions,
    insert: (form: AccountForm) => Promise<Made>,
  ): Promise<SignUpOutcome | Gone> {
    const { firstName = '', lastName = '', email, ...rest } = form;
    const keys = [{ key: addressThrottleKey(caller.address), limit: config.throttle.addressLimit }];
    const counted = await throttle.attempt(keys, config.throttle.window);
    if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter };

    const unprovedName = fate === undefined && config.namesWithAt === 'surfaces';
    // Before any look-up: a name that is refused is refused alike whether or not an account has it.
    const name = problemOf(rest.username, {
      provedEmail: fate === 'proved' ? email : undefined,
      unproved: unprovedName,
    });
    if (name !== undefined)
      return { outcome: 'invalid', field: 'username', reason: name, sentence: nameProblems[name] };
    const reason = fate === undefined || email === undefined ? undefined : emailProblem(email);
    if (reason !== undefined) return { outcome: 'invalid', field: 'email', reason, sentence: nameProblems[reason] };
    const names = { ...rest, firstName, lastName, unprovedName };
    const create = (form: AccountForm) => inTurn(form.username, () => insert(form));
    if (fate === 'proved' && email !== undefined) return createProved({ ...names, email }, caller, create);

    const later = fate === 'later' && email !== undefined;
    const made = await create(later ? { ...names, notInPassword: [email] } : { ...names, email });
    if (made.outcome !== 'created') return made;
    const said = later ? email : vouched ? null : made.account.email;
    if (said !== null) await emails.requestChange(made.account.subject, said, caller);
    return made;
  }

  return {
    nameProblem: (username, provedEmail) => problemOf(username, { provedEmail }),

    async signUp(form, caller, options = {}) {
      if (config.signUp !== 'open' && !options.vouched) return { outcome: 'closed' };
      const made = await make(form, caller, options, (form) => accounts.create(form, caller));
      if (made.outcome === 'gone') throw new Error('Only an invitation can be gone.');
      return made;
    },

    accept: (form, caller, { linkKey, proved }) =>
      make(form, caller, { vouched: true, email: proved ? 'proved' : 'later' }, (form) =>
        accounts.createInvited(form, linkKey, caller),
      ),
  };
}
