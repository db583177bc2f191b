/**
 * People who make their own account: the page, and the API surfaces that register. Whether they may is `SIGN_UP`; what an
 * account may be is core/accounts.
 */
import type { AccountForm, Accounts, CreateOutcome } from './accounts.ts';
import { claimEmail, type Emails } from './emails.ts';
import { emailKey, emailProblem, nameProblems, usernameKey } from './names.ts';
import type { Caller } from './sessions.ts';
import type { AccountStore, NewIdentity, Throttle } from './stores.ts';
import { addressThrottleKey } from './throttle-keys.ts';

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

/** `locale`: of the mail that may follow. */
export type SignUpCaller = Caller & { readonly via: string; readonly by?: string; readonly locale?: string };

export interface SignUpOptions {
  /** Somebody who may make accounts for others asks; only the limiter still counts. */
  readonly vouched?: true;
  /**
   * What becomes of the e-mail address. Left out: the account has it at once, unproved, and one that is somebody's is refused, as
   * the API surfaces have to. `later`: the account has it when it is proved, so that nobody learns here whose it is. `proved`:
   * it has been.
   */
  readonly email?: 'later' | 'proved';
}

export interface SignUp {
  /** Throws `Unavailable`. */
  signUp(form: SignUpForm, caller: SignUpCaller, options?: SignUpOptions): Promise<SignUpOutcome>;
}

export function createSignUp(deps: {
  accounts: Pick<Accounts, 'create' | 'findByUsername'>;
  store: AccountStore;
  emails: Pick<Emails, 'requestChange'>;
  throttle: Throttle;
  settings: {
    readonly signUp: 'open' | 'invite' | 'off';
    /** Attempts from one address within the window: the same counter as failed sign-ins. */
    readonly addressLimit: number;
    readonly windowSeconds: number;
  };
}): SignUp {
  const { accounts, store, emails, throttle, settings } = deps;
  const underWay = new Map<string, Promise<unknown>>();

  /** Of many who want one name at once only one password is hashed: the others find the name taken. */
  async function create(form: AccountForm, actor: Parameters<Accounts['create']>[1]): Promise<CreateOutcome> {
    const key = usernameKey(form.username);
    if (key === undefined) return accounts.create(form, actor);
    const before = underWay.get(key);
    const mine = (async () => {
      await before?.catch(() => {});
      if (await accounts.findByUsername(form.username)) return { outcome: 'taken', field: 'username' } as const;
      return accounts.create(form, actor);
    })();
    underWay.set(key, mine);
    try {
      return await mine;
    } finally {
      if (underWay.get(key) === mine) underWay.delete(key);
    }
  }

  /** The account without its address, which follows by itself or by mail. */
  async function createWithout(
    email: string,
    form: AccountForm,
    actor: Parameters<Accounts['create']>[1],
  ): Promise<CreateOutcome> {
    const reason = emailProblem(email);
    if (reason !== undefined) return { outcome: 'invalid', field: 'email', reason, sentence: nameProblems[reason] };
    return create({ ...form, email: undefined, notInPassword: [email] }, actor);
  }

  return {
    async signUp({ firstName = '', lastName = '', email, ...form }, caller, options = {}) {
      const { address, requestId, via, by, locale = 'en' } = caller;
      if (settings.signUp !== 'open' && !options.vouched) return { outcome: 'closed' };
      const keys = [{ key: addressThrottleKey(address), limit: settings.addressLimit }];
      const counted = await throttle.attempt(keys, settings.windowSeconds);
      if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter };

      const names = { ...form, firstName, lastName };
      const actor = { address, requestId, via, by };
      const asker = { address, requestId, locale };
      if (options.email === undefined || email === undefined) {
        const made = await create({ ...names, email }, actor);
        const claimed = made.outcome === 'created' && !options.vouched ? made.account.email : null;
        if (made.outcome === 'created' && claimed !== null)
          await emails.requestChange(made.account.subject, claimed, asker);
        return made;
      }
      // Asked first, because here it may be said: who comes this way has been in that mailbox.
      const owned = options.email === 'proved' && (await isProved(store, email));
      if (owned) return { outcome: 'taken', field: 'email' };
      const made = await createWithout(email, names, actor);
      if (made.outcome !== 'created') return made;
      if (options.email === 'proved')
        return { ...made, account: (await claimEmail(store, made.account, email)) ?? made.account };
      await emails.requestChange(made.account.subject, email, asker);
      return made;
    },
  };
}

async function isProved(store: AccountStore, email: string): Promise<boolean> {
  const key = emailKey(email);
  return key !== undefined && (await store.byVerifiedEmailKey(key)) !== undefined;
}
