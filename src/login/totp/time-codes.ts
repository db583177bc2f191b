/**
 * Time-based one-time codes (RFC 6238) as every authenticator app makes them: HMAC-SHA-1, six digits, a new code every
 * 30 seconds. Apps ignore or refuse other parameters. This file finds the time step of a code; the store ensures that
 * it is used once.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { sameSecret } from '../../base/secrets.ts';
import { digitsTyped } from '../../core/factors/code-method.ts';
import { fromBase32, toBase32 } from './base32.ts';

const digits = 6;
const stepSeconds = 30;
/** One step either way (RFC 6238, section 5.2), for clock drift and the time to type. */
const drift = [0, -1, 1];
/** RFC 4226, section 4, R6: 160 bits, the length of the hash. */
const secretBytes = 20;

export const timeCodes = {
  /** A new secret in base32, as authenticator apps take it. */
  makeSecret: (): string => toBase32(randomBytes(secretBytes)),

  /** The content of the QR code. */
  uri(secret: string, issuer: string, account: string): string {
    const query = new URLSearchParams({
      secret,
      issuer,
      algorithm: 'SHA1',
      digits: String(digits),
      period: String(stepSeconds),
    });
    // Apps show a plus sign if a space is encoded as in forms.
    const parameters = query.toString().replaceAll('+', '%20');
    return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(account.toWellFormed())}?${parameters}`;
  },

  /** Returns the six digits of the input, or undefined if it is something else. */
  read(typed: string): string | undefined {
    if (typed.length > 32) return undefined;
    const code = digitsTyped(typed);
    return /^[0-9]{6}$/.test(code) ? code : undefined;
  },

  /** Returns the time step of this code: that of `now` (seconds) or one of its two neighbours. */
  stepOf(secret: string, code: string, now: number): number | undefined {
    const key = fromBase32(secret);
    const current = Math.floor(now / stepSeconds);
    // Checks all of them, so that timing does not reveal which one matched.
    const matching = drift.filter((away) => sameSecret(hotp(key, current + away), code));
    return matching[0] === undefined ? undefined : current + matching[0];
  },
};

/** RFC 4226, section 5.3: four bytes of the hash, at the offset in its last half-byte, without the sign. */
export function hotp(key: Buffer, counter: number, length = digits): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(BigInt(counter));
  const hash = createHmac('sha1', key).update(moving).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 10 ** length).padStart(length, '0');
}
