/**
 * People who make their own account: the page, and the API surfaces that register. Whether they may is `SIGN_UP`; what an
 * account may be is core/accounts.
 */
import type { AccountForm, Accounts, CreateOutcome } from './accounts.ts';
import { usernameKey } from './names.ts';
import type { Caller } from './sessions.ts';
import type { Throttle } from './stores.ts';
import { addressThrottleKey } from './throttle-keys.ts';

export interface SignUpForm {
  readonly username: string;
  readonly password: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly email?: string;
}

export type SignUpOutcome =
  | CreateOutcome
  /** Nobody may, or only the invited. */
  | { readonly outcome: 'closed' }
  /** `retryAfter`: seconds. */
  | { readonly outcome: 'throttled'; readonly retryAfter: number };

export interface SignUp {
  /** `vouched`: somebody who may make accounts for others asks; only the limiter still counts. Throws `Unavailable`. */
  signUp(
    form: SignUpForm,
    caller: Caller & { via: string; by?: string },
    options?: { vouched?: true },
  ): Promise<SignUpOutcome>;
}

export function createSignUp(deps: {
  accounts: Pick<Accounts, 'create' | 'findByUsername'>;
  throttle: Throttle;
  settings: {
    readonly signUp: 'open' | 'invite' | 'off';
    /** Attempts from one address within the window: the same counter as failed sign-ins. */
    readonly addressLimit: number;
    readonly windowSeconds: number;
  };
}): SignUp {
  const { accounts, throttle, settings } = deps;
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

  return {
    async signUp({ firstName = '', lastName = '', ...form }, { address, requestId, via, by }, options = {}) {
      if (settings.signUp !== 'open' && !options.vouched) return { outcome: 'closed' };
      const keys = [{ key: addressThrottleKey(address), limit: settings.addressLimit }];
      const counted = await throttle.attempt(keys, settings.windowSeconds);
      if (!counted.allowed) return { outcome: 'throttled', retryAfter: counted.retryAfter };
      return create({ ...form, firstName, lastName }, { address, requestId, via, by });
    },
  };
}
