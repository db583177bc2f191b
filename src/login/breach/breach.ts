/**
 * Asks a service, or a mirror of it, whether a password is known to be stolen. The service does not learn the password:
 * it gets the first five hexadecimal digits of the SHA-1, which many other passwords share, and returns all hashes with
 * that prefix (the range protocol of Have I Been Pwned). The protocol prescribes SHA-1; security here does not rest on
 * it.
 */
import { hash } from 'node:crypto';
import type { Logger } from '../../base/log.ts';
import type { BreachedPasswords } from '../../core/passwords/breached-passwords.ts';
import { normalisePassword } from '../../core/passwords/password-rules.ts';

interface BreachSettings {
  /** The prefix is appended as the last part of the path. */
  readonly url: string;
  readonly timeoutMs?: number;
}

/** Ten times the longest response. */
const answerMax = 1024 * 1024;

export function createBreachedPasswords(settings: BreachSettings, log: Logger): BreachedPasswords {
  const { url, timeoutMs = 1500 } = settings;
  const base = url.endsWith('/') ? url : `${url}/`;

  async function range(prefix: string): Promise<string> {
    const answer = await fetch(`${base}${prefix}`, {
      // Padding, because the length of an encrypted response would reveal its range.
      headers: { 'add-padding': 'true', 'user-agent': 'Gatehouse', accept: 'text/plain' },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      throw new Error(`The answer was ${answer.status}.`);
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of answer.body) {
      size += part.length;
      if (size > answerMax) throw new Error(`The answer is longer than ${answerMax} bytes.`);
      parts.push(part);
    }
    return Buffer.concat(parts).toString('latin1');
  }

  return {
    async includes(password) {
      const normal = normalisePassword(password);
      if (normal === undefined) return false;
      const digest = hash('sha1', normal, 'hex').toUpperCase();
      try {
        return holds(await range(digest.slice(0, 5)), digest.slice(5));
      } catch (err) {
        log.warn({ err }, 'the list of breached passwords does not answer; a password was accepted without it');
        return false;
      }
    },
  };
}

/** Lines of `SUFFIX:COUNT`. A count of 0 is padding. */
function holds(text: string, suffix: string): boolean {
  return text.split('\n').some((line) => {
    const [found, count] = line.trim().split(':');
    return found?.toUpperCase() === suffix && Number(count) > 0;
  });
}
