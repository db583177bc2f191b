/**
 * A pass proves that the user has just set the password of an account in this browser, by a mailed link or with a new
 * account. The sign-in that follows skips the password, and nothing else.
 *
 * Valid once, for five minutes, until that password changes. The browser holds the token of a link and the database its
 * digest, so a pass is valid on every node.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { Links } from '../kernel/links.ts';
import { type PasswordProof, passwordMark, proofSeconds } from '../kernel/password-proof.ts';
import type { Account } from '../stores/accounts.ts';

/** How the password was set. */
const passOrigins = ['setup', 'sign-up', 'invitation', 'reset-link', 'verify-email'] as const;
export type PassOrigin = (typeof passOrigins)[number];

export interface Pass {
  readonly proof: PasswordProof;
  readonly after: PassOrigin;
}

/** Both methods throw `Unavailable` if storage cannot answer. */
export interface Passes {
  /** `account`: with the new password. Give the value to this browser only. */
  make(account: Pick<Account, 'subject' | 'passwordHash'>, after: PassOrigin): Promise<string>;
  /** Uses the pass up. Returns undefined if it is unknown, used or expired. */
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
