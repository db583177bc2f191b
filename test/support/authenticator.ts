/** A person's authenticator app: enrolled with an account, it shows codes. */
import { nowSeconds } from '../../src/base/clock.ts';
import type { Factors } from '../../src/core/factors/factors.ts';
import { fromBase32 } from '../../src/login/totp/base32.ts';
import { hotp } from '../../src/login/totp/totp.ts';

const stepSeconds = 30;

/** What the app shows now, or `away` time steps from now. */
export function codeOf(secret: string, away = 0): string {
  return hotp(fromBase32(secret), Math.floor(nowSeconds() / stepSeconds) + away);
}

export interface Authenticator {
  readonly secret: string;
  readonly factorId: string;
  readonly recoveryCodes: readonly string[];
  code(away?: number): string;
  /** A code that has not been shown before. After the enrolment there are two, then it is time to `travel(30)`. */
  fresh(): string;
  /** Six digits that are no code of any step near. */
  wrong(): string;
}

/** Enrols an app, with the code of the step before: those of now and of the next one are still good. */
export async function enrol(factors: Factors, subject: string, name?: string): Promise<Authenticator> {
  const begun = await factors.beginTotp(subject, name === undefined ? {} : { name });
  if (begun.outcome !== 'begun') throw new Error(`no enrolment: ${begun.outcome}`);
  const { secret, factorId } = begun;
  const step = () => Math.floor(nowSeconds() / stepSeconds);
  let shown = step() - 1;
  const confirm = () => factors.confirmTotp(subject, factorId, hotp(fromBase32(secret), shown));
  let confirmed = await confirm();
  // A step has ended in between.
  if (confirmed.outcome === 'wrong-code' && shown < step() - 1) {
    shown = step() - 1;
    confirmed = await confirm();
  }
  if (confirmed.outcome !== 'enrolled') throw new Error(`not enrolled: ${confirmed.outcome}`);
  return {
    secret,
    factorId,
    recoveryCodes: confirmed.recoveryCodes,
    code: (away) => codeOf(secret, away),
    fresh() {
      shown = Math.max(shown + 1, step() - 1);
      if (shown > step() + 1) throw new Error('no fresh code before the next 30 seconds: travel first');
      return hotp(fromBase32(secret), shown);
    },
    wrong() {
      const near = [-2, -1, 0, 1, 2].map((away) => codeOf(secret, away));
      for (let guess = 0; ; guess++) {
        const digits = String(guess).padStart(6, '0');
        if (!near.includes(digits)) return digits;
      }
    },
  };
}
