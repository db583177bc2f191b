/**
 * Self-registration: the page, and the API surfaces that register users. `SIGN_UP` says who may register;
 * core/accounts/accounts checks and creates the account.
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
import type { Throttle } from '../stores/volatile/throttle.ts';

export interface SignUpForm {
  readonly username: string;
  /** Undefined: the account has another sign-in method. */
  readonly password: string | undefined;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email?: string | undefined;
  readonly identity?: NewIdentity;
}

export type SignUpOutcome =
  | CreateOutcome
  /** Registration is off, or by invitation only. */
  | { readonly outcome: 'closed' }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

interface SignUpOptions {
  /** The caller may create accounts for others. Only the throttle applies, not `SIGN_UP`. */
  readonly vouched?: true;
  /**
   * How the account gets its e-mail address. Left out (API surfaces): a username that is an address (`NAMES_WITH_AT`)
   * sets it at once, unproved; a taken one is refused. `later`: when the user proves it, so that no response tells
   * whether it is taken. `proved`: at once; the user has proved it.
   */
  readonly email?: 'later' | 'proved';
}

/** `linkKey`: key of the invitation's link. `proved`: opening the link has proved the address. */
interface SignUpInvitation {
  readonly linkKey: string;
  readonly proved: boolean;
}

/** The invitation was used, or never existed. */
type Gone = { readonly outcome: 'gone' };
type Made = CreateOutcome | Gone;

export interface SignUp {
  /** Returns why users may not choose this name, or undefined. `provedEmail`: the address that the user has proved. */
  nameProblem(username: string, provedEmail?: string): NameProblem | undefined;
  /** Throws `Unavailable`. */
  signUp(form: SignUpForm, caller: Caller, options?: SignUpOptions): Promise<SignUpOutcome>;
  /** Creates the account and consumes the invitation in one transaction. Throws `Unavailable`. */
  accept(form: SignUpForm, caller: Caller, invitation: SignUpInvitation): Promise<SignUpOutcome | Gone>;
}

export function createSignUp(deps: {
  accounts: Pick<Accounts, 'create' | 'createInvited' | 'findByUsername'>;
  claims: Pick<EmailClaims, 'isProved' | 'free'>;
  emails: Pick<Emails, 'requestChange'>;
  throttle: Throttle;
  config: {
    readonly signUp: 'open' | 'invite' | 'off';
    /** `surfaces`: usernames from the API surfaces may read as addresses. */
    readonly namesWithAt: 'off' | 'surfaces';
    readonly brandName: string;
    /** Attempts per IP address within the window (seconds). Shares its counter with failed sign-ins. */
    readonly throttle: { readonly addressLimit: number; readonly window: number };
  };
}): SignUp {
  const { accounts, claims, emails, throttle, config } = deps;
  const isReserved = createReservedNames(config.brandName);

  const problemOf = (username: string, by: NamedBy): NameProblem | undefined =>
    newNameProblem(username, by) ?? (isReserved(username) ? 'reserved' : undefined);
  const underWay = new Map<string, Promise<unknown>>();

  /** Runs requests for the same name in turn. Only the first one hashes a password; the others find the name taken. */
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

  /**
   * The account has the address from the start. Another account that has it unproved loses it only after the new
   * account has passed all other checks.
   */
  async function createProved(
    form: AccountForm & { readonly email: string },
    caller: Caller,
    create: (form: AccountForm) => Promise<Made>,
  ): Promise<Made> {
    const taken = { outcome: 'taken', field: 'email' } as const;
    // If the address is also the username, the database may report either as taken.
    const named = emailKey(form.username) === emailKey(form.email);
    // The response may tell that the address is taken, because this user has read its mailbox.
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
    // Before any look-up, so that a refused name gets the same response whether or not an account has it.
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
