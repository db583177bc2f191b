/** Why a start, or a command, came to nothing, in words for those who run the server. */
import { Unavailable } from '../base/errors.ts';
import { NotPrivate } from '../base/private-files.ts';

/** What `port` can be the number of. */
interface Ports {
  readonly metrics: { readonly port: number | undefined };
}

/** Of an error of `openCore` or of listening. */
export function startProblem(error: unknown, config: Ports): string {
  const { code, message, port, syscall } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (syscall === 'listen' && port !== undefined) return portProblem(code ?? message, port, config);
  return knownProblem(error) ?? `Gatehouse could not start: ${message}`;
}

/** Undefined where the message is not fit to be all that is said. */
export function knownProblem(error: unknown): string | undefined {
  if (error instanceof NotPrivate) {
    return `DATA_DIR has to be a folder that its own user alone may open. ${error.message}\nName one of its own, such as DATA_DIR=/var/lib/gatehouse.`;
  }
  if (!(error instanceof Unavailable)) return undefined;
  if (error.reason !== undefined) return error.reason;
  return error.what === 'database'
    ? 'The database does not answer. Check DATABASE_URL, and that the database is running.'
    : `Not available just now (${error.what}). Try again in ${error.retryAfter} s.`;
}

function portProblem(code: string, port: number, { metrics }: Ports): string {
  const name = port === metrics.port ? 'METRICS_PORT' : 'PORT';
  const host = name === 'PORT' ? 'HOST' : 'METRICS_HOST';
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another program. Set ${name} to a free one, for example ${name}=${port + 1}.`;
    case 'EACCES':
      return `Port ${port} may not be opened by this user. Set ${name} to one above 1023.`;
    default:
      return `Port ${port} cannot be opened (${code}). Check ${host} and ${name}.`;
  }
}
