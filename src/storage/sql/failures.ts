/** Classifies the errors of the two database drivers. */
import { Unavailable } from '../../base/errors.ts';
import { certificateProblem } from '../../base/tls-failures.ts';

function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}

export function codeOf(error: unknown): string {
  const code = property(error, 'code');
  if (typeof code === 'string') return code;
  const inner = property(error, 'errors');
  return Array.isArray(inner) && inner.length > 0 ? codeOf(inner[0]) : '';
}

/** Reads the member, not the class: tests run in their own realm, where driver errors are not instances of Error. */
export function messageOf(error: unknown): string {
  const message = property(error, 'message');
  return typeof message === 'string' ? message : '';
}

/** The file that could not be opened, if the error is about one. */
export function fileOf(error: unknown): string | undefined {
  const path = property(error, 'path');
  return property(error, 'syscall') === 'open' && typeof path === 'string' ? path : undefined;
}

/** SQLite's primary result code (the low byte of the extended code), or 0 for other errors. */
export function sqliteCode(error: unknown): number {
  const code = property(error, 'errcode');
  return typeof code === 'number' ? code & 0xff : 0;
}

// BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB
const sqliteUnavailable = new Set([5, 6, 7, 8, 10, 11, 13, 14, 15, 26]);

/** Node's codes for sockets, names and files that cannot be reached. */
const systemCode =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDR|ENOENT|EACCES|EPERM|EROFS|EMFILE|ENFILE|ENOSPC|EIO$|ERR_SOCKET|ERR_STREAM|ERR_TLS|ERR_SSL)/;

/**
 * SQLSTATE: connection (08), authorization (28), no database (3D), resources (53), operator (57), system (58), database
 * closed to connections (55000), prepared statement of another session (26000, 42P05).
 */
const sqlState = /^(08...|26000|28...|3D000|42P05|53...|57...|58...|25006|55000|55P03|XX001|XX002)$/;

// Knex puts the statement and a dash before the driver's message.
const driverMessage =
  /(?:^| - )(Connection terminated|Query read timeout|timeout expired|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after|The server does not support SSL|There was an error establishing an SSL|database is not open|Knex: Timeout acquiring|Unable to acquire a connection)/;

/** True if the database cannot answer now; false if it rejected the statement. */
function isUnavailable(error: unknown): boolean {
  if (error instanceof Unavailable) return true;
  const sqlite = sqliteCode(error);
  if (sqlite !== 0) return sqliteUnavailable.has(sqlite);
  const code = codeOf(error);
  if (sqlState.test(code) || systemCode.test(code) || certificateProblem(code) !== undefined) return true;
  return driverMessage.test(messageOf(error));
}

/** Serialization failure or deadlock: nothing was written, and a retry may succeed. */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error);
  return code === '40001' || code === '40P01';
}

/** True if the connection must not be used again. */
export function isBroken(error: unknown): boolean {
  const code = codeOf(error);
  // A statement timeout (57014), a full disk or a standby leaves the connection healthy.
  return isUnavailable(error) && !/^(57014|53[12]..|25006|55P03)$/.test(code);
}

/** True if the connection ended during the statement, as after a restart: another connection may work at once. */
export function connectionEnded(error: unknown): boolean {
  if (/^(57P0[1-3]|08...|ECONNRESET|EPIPE)$/.test(codeOf(error))) return true;
  return /(?:^| - )(Connection terminated( unexpectedly)?$|Client has encountered|Client was closed)/.test(
    messageOf(error),
  );
}

/** Returns the one of `columns` whose unique constraint the write violated. */
export function takenColumn<Column extends string>(error: unknown, columns: readonly Column[]): Column | undefined {
  const constraint =
    codeOf(error) === '23505'
      ? String(property(error, 'constraint'))
      : sqliteCode(error) === 19
        ? messageOf(error).slice(messageOf(error).lastIndexOf('UNIQUE constraint failed'))
        : '';
  return columns.find((column) => constraint.includes(column));
}

export function translated(error: unknown): unknown {
  if (error instanceof Unavailable || !isUnavailable(error)) return error;
  return new Unavailable('database', { cause: error });
}
