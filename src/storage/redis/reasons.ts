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
    return `The certificate of Redis at ${where} is not trusted: ${certificate} (${code}). Add its certificate authority to NODE_EXTRA_CA_CERTS.`;
  }
  const user = decodeURIComponent(username) || 'default';
  switch (refusals.exec(message)?.[1] ?? code) {
    case 'WRONGPASS':
      return `Redis at ${where} refuses the password of the user "${user}" (WRONGPASS). Correct REDIS_URL.`;
    case 'NOAUTH':
      return `Redis at ${where} requires a password (NOAUTH). Set it in REDIS_URL, as redis://:password@${where}.`;
    case 'NOPERM':
      return `Redis at ${where} denies the user "${user}" a command that this server needs (NOPERM). Grant it, or use another user in REDIS_URL.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host "${host}" has no address (${code}). Correct REDIS_URL, or the name server.`;
    case 'ECONNREFUSED':
      return `Nothing listens at ${where} (ECONNREFUSED). Start Redis there, or correct REDIS_URL.`;
    case '':
      if (message === closedByIt) return `Redis at ${where} has closed the connection.`;
      return `Redis at ${where} does not answer in time. Check that it is running, and REDIS_URL.`;
    default:
      return `Redis at ${where} does not answer (${code}). Check that it is running, and REDIS_URL.`;
  }
}
