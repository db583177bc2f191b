/** Maps errors at a provider to the few kinds that matter to a person, and to a text for the log. */
import type { Failed, UpstreamFailure } from '../../core/upstream/upstream-provider.ts';

/** A response that the library accepts but this server does not. */
export class ProviderError extends Error {
  readonly reason: UpstreamFailure;
  constructor(message: string, reason: UpstreamFailure = 'wrong') {
    super(message);
    this.reason = reason;
  }
}

/** Error codes for temporary problems of the provider (RFC 6749, section 4.1.2.1). */
const troubles = ['server_error', 'temporarily_unavailable'];
/** Error codes for a refusal by the person, or for a request without interaction. */
const refusals = ['access_denied', 'login_required', 'interaction_required', 'consent_required'];

/** `detail` contains only codes and fixed words, because the library's messages and causes may contain tokens. */
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
    // Undici throws `TypeError: fetch failed` for any network error.
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
