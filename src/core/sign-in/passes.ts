/**
 * A pass: that a person has set the password of an account in this browser a moment ago, by the link of a mail or with a new account.
 * The sign-in that follows asks for no password: what a pass proves is one, and no more. Everything after it is still asked for.
 *
 * It is good once, for five minutes, and only as long as that password is the account's. The browser holds the value of a link, and
 * the database its digest, so a pass is good on every node.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Links } from '../kernel/links.ts';
import { type PasswordProof, passwordMark, proofSeconds } from '../kernel/password-proof.ts';
import type { Account } from '../stores/accounts.ts';

/** What the person did. */
const passOrigins = ['setup', 'sign-up', 'invitation', 'reset-link', 'verify-email'] as const;
export type PassOrigin = (typeof passOrigins)[number];

export interface Pass {
  readonly proof: PasswordProof;
  readonly after: PassOrigin;
}

/** Both throw `Unavailable` where storage cannot answer. */
export interface Passes {
  /** `account`: with the password that was given. The value is for this browser alone. */
  make(account: Pick<Account, 'subject' | 'passwordHash'>, after: PassOrigin): Promise<string>;
  /** Uses it up. Undefined where it is unknown, used or over. */
  take(value: string): Promise<Pass | undefined>;
}

export function createPasses({ links }: { links: Pick<Links, 'make' | 'spend'> }): Passes {
  return {
    async make({ subject, passwordHash }, after) {
      const detail = { after, at: nowSeconds(), password: passwordMark({ passwordHash }) };
      const { token } = await links.make('pass', { subject, detail, seconds: proofSeconds });
      return token;
    },

    take: (value) =>
      links.spend('pass', value, async ({ subject, detail: { at, password, after: said } }) => {
        const after = passOrigins.find((one) => one === said);
        const whole = subject !== null && typeof at === 'number' && typeof password === 'string' && after !== undefined;
        return { done: true, result: whole ? { proof: { subject, at, password }, after } : undefined };
      }),
  };
}
