/** Explains to the operator why a start or a command failed. */
import { Unavailable } from '../base/errors.ts';
import { NotPrivate } from '../base/private-files.ts';

/** The setting that `port` may come from. */
interface Ports {
  readonly metrics: { readonly port: number | undefined };
}

/** `error`: from `openCore` or from listening. */
export function startProblem(error: unknown, config: Ports): string {
  const { code, message, port, syscall } = error as NodeJS.ErrnoException & { readonly port?: number };
  if (syscall === 'listen' && port !== undefined) return portProblem(code ?? message, port, config);
  return knownProblem(error) ?? `Gatehouse could not start: ${message}`;
}

/** Returns undefined if the message does not explain the problem. */
export function knownProblem(error: unknown): string | undefined {
  if (error instanceof NotPrivate) {
    return `DATA_DIR must be a folder that only its owner can open. ${error.message}\nUse a separate folder, for example DATA_DIR=/var/lib/gatehouse.`;
  }
  if (!(error instanceof Unavailable)) return undefined;
  if (error.reason !== undefined) return error.reason;
  return error.what === 'database'
    ? 'The database does not answer. Check DATABASE_URL, and that the database is running.'
    : `Temporarily unavailable (${error.what}). Try again in ${error.retryAfter} s.`;
}

function portProblem(code: string, port: number, { metrics }: Ports): string {
  const name = port === metrics.port ? 'METRICS_PORT' : 'PORT';
  const host = name === 'PORT' ? 'HOST' : 'METRICS_HOST';
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another program. Set ${name} to a free one, for example ${name}=${port + 1}.`;
    case 'EACCES':
      return `This user may not open port ${port}. Set ${name} to a port above 1023.`;
    default:
      return `Port ${port} cannot be opened (${code}). Check ${host} and ${name}.`;
  }
}
