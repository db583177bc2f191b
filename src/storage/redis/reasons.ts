/** Why Redis does not answer, as a sentence for the operator. Never contains a password. */
import { certificateProblem } from '../../base/tls-failures.ts';

/** Message for a connection that closed without an error. */
export const closedByIt = 'closed';

/** Replies that refuse every command of this user. */
const refusals = /\b(NOAUTH|WRONGPASS|NOPERM)\b/;

export function isRefusal(error: Error): boolean {
  return refusals.test(error.message);
}

/** `error`: the last error of the connection, or undefined if there was none (Redis hangs). */
export function redisReason(error: unknown, url: string): string {
  const { hostname, port, username } = new URL(url);
  const host = decodeURIComponent(hostname);
  const where = `${host}:${port || '6379'}`;
  const { code = '', message = '' } = (error ?? {}) as { readonly code?: string; readonly message?: string };
  const certificate = certificateProblem(code);
  if (certificate !== undefined) {
    return `The certificate of Redis at ${where} is not trusted: ${certificate} (${code}). Name its authority in NODE_EXTRA_CA_CERTS.`;
  }
  const user = decodeURIComponent(username) || 'default';
  switch (refusals.exec(message)?.[1] ?? code) {
    case 'WRONGPASS':
      return `Redis at ${where} refuses the password of the user "${user}" (WRONGPASS). Correct REDIS_URL.`;
    case 'NOAUTH':
      return `Redis at ${where} asks for a password (NOAUTH). Name it in REDIS_URL, as redis://:password@${where}.`;
    case 'NOPERM':
      return `Redis at ${where} does not let the user "${user}" do what is needed (NOPERM). Give it more rights, or name another in REDIS_URL.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host "${host}" has no address (${code}). Correct REDIS_URL, or the name server.`;
    case 'ECONNREFUSED':
      return `Nothing listens at ${where} (ECONNREFUSED). Start Redis there, or correct REDIS_URL.`;
    case '':
      if (message === closedByIt) return `Redis at ${where} has closed the connection.`;
      return `Redis at ${where} does not answer in time. Check that it runs there, and REDIS_URL.`;
    default:
      return `Redis at ${where} does not answer (${code}). Check that it runs there, and REDIS_URL.`;
  }
}
