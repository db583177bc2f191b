/** What went wrong at a provider, in one of the few ways that make a difference to a person, and in a word for the log. */
import type { Failed, UpstreamFailure } from '../../core/upstream/upstream-provider.ts';

/** An answer that the library has nothing against, and this server has. */
export class ProviderError extends Error {
  readonly reason: UpstreamFailure;
  constructor(message: string, reason: UpstreamFailure = 'wrong') {
    super(message);
    this.reason = reason;
  }
}

/** The provider's own words for its own troubles (RFC 6749, section 4.1.2.1). */
const troubles = ['server_error', 'temporarily_unavailable'];
/** Of the person's no, and of an "at once or not at all" that nobody here asks for. */
const refusals = ['access_denied', 'login_required', 'interaction_required', 'consent_required'];

/**
 * `detail` is made of codes and fixed words only: the messages and causes of the library's errors may hold what the provider sent,
 * tokens included.
 */
export function failureOf(error: unknown): Failed {
  if (error instanceof ProviderError) return { outcome: 'failed', reason: error.reason, detail: error.message };
  const { name, code, error: said, status } = fieldsOf(error);
  const detail = [name, code, said, status].filter((word) => word !== '').join(' ');
  return { outcome: 'failed', reason: reasonOf(error, said), detail };
}

function reasonOf(error: unknown, said: string): UpstreamFailure {
  if (refusals.includes(said)) return 'denied';
  if (troubles.includes(said)) return 'unavailable';
  for (let cause = error, depth = 0; depth < 5 && cause; cause = property(cause, 'cause'), depth += 1) {
    const [name, code, status] = ['name', 'code', 'status'].map((member) => property(cause, member));
    // Undici says `TypeError: fetch failed` of whatever kept it from an answer.
    if (name === 'TimeoutError' || code === 'OAUTH_TIMEOUT' || property(cause, 'message') === 'fetch failed') {
      return 'unavailable';
    }
    if (typeof status === 'number' && status >= 500) return 'unavailable';
  }
  return 'wrong';
}

function fieldsOf(error: unknown) {
  const word = (member: string): string => {
    const value = property(error, member);
    return typeof value === 'string' && /^[\w .-]{1,60}$/.test(value) ? value : '';
  };
  const status = property(error, 'status');
  return {
    name: word('name'),
    code: word('code'),
    error: word('error'),
    status: typeof status === 'number' ? String(status) : '',
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
