/** A person's authenticator app: enrolled with an account, it shows codes. */
import { createHmac } from 'node:crypto';
import { nowSeconds } from '../../src/base/clock.ts';
import type { Factors } from '../../src/core/factors/factors.ts';

const stepSeconds = 30;

/** What the app shows now, or `away` time steps from now. */
export function codeOf(secret: string, away = 0): string {
  return shownBy(secret, Math.floor(nowSeconds() / stepSeconds) + away);
}

/** An app of its own: RFC 4226, section 5.3, over a secret in base32 (RFC 4648, section 6). */
function shownBy(secret: string, step: number): string {
  const bits = Array.from(secret, (letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  ).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const hash = createHmac('sha1', key).update(counter).digest();
  const number = hash.readUInt32BE((hash.at(-1) ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
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
  const begun = await factors.begin('totp', subject, name === undefined ? {} : { name });
  if (begun.outcome !== 'begun') throw new Error(`no enrolment: ${begun.outcome}`);
  const { secret, factorId } = begun;
  const step = () => Math.floor(nowSeconds() / stepSeconds);
  let shown = step() - 1;
  const confirm = () => factors.confirm('totp', subject, factorId, shownBy(secret, shown));
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
      return shownBy(secret, shown);
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
