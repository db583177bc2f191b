/** Tells the operator why the database does not answer, and which setting to check. Never contains a password. */
import { Unavailable } from '../../base/errors.ts';
import { certificateProblem } from '../../base/tls-failures.ts';
import { codeOf, fileOf, messageOf, sqliteCode } from './failures.ts';
import type { Migrations } from './migrations.ts';
import type { Sql } from './sql.ts';

type Settings =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** Wraps `sql` so that its `Unavailable` errors carry a reason. */
export function explained(sql: Sql, settings: Settings): Sql {
  const told = teller(settings);
  // Other errors are bugs of this program and pass unchanged.
  const tell = (error: unknown): never => {
    if (error instanceof Unavailable) told(error);
    throw error;
  };
  return {
    ...sql,
    rows: (statement, values) => sql.rows(statement, values).catch(tell),
    run: (query) => sql.run(query).catch(tell),
    transaction: (work) => sql.transaction(work).catch(tell),
  };
}

export function explainedMigrations(migrate: Migrations, settings: Settings): Migrations {
  const tell = teller(settings);
  return {
    status: () => migrate.status().catch(tell),
    up: (options) => migrate.up(options).catch(tell),
    down: (options) => migrate.down(options).catch(tell),
  };
}

/** Throws `Unavailable` with a reason if one is known, otherwise the error itself. */
export function teller(settings: Settings): (error: unknown) => never {
  return (error) => {
    if (error instanceof Unavailable && error.reason !== undefined) throw error;
    const cause = error instanceof Unavailable ? error.cause : error;
    const reason =
      settings.kind === 'sqlite' ? sqliteReason(cause, settings.file) : postgresReason(cause, settings.url);
    if (reason === undefined) throw error;
    throw new Unavailable('database', { cause, reason });
  };
}

interface Target {
  readonly host: string;
  readonly where: string;
  readonly user: string;
  readonly database: string;
}

const change = 'Correct DATABASE_URL';

function postgresReason(error: unknown, url: string): string | undefined {
  const target = targetOf(url);
  const { host, where, user, database } = target;
  const code = codeOf(error);
  const message = messageOf(error);
  const certificate = certificateProblem(code);
  if (certificate !== undefined) {
    return `The certificate of Postgres at ${where} is not trusted: ${certificate} (${code}). Add its certificate authority to DATABASE_URL (sslrootcert=…) or to NODE_EXTRA_CA_CERTS.`;
  }
  const file = fileOf(error);
  if (file !== undefined) return `${file}, which DATABASE_URL names, cannot be read (${code}). ${change}, or the file.`;
  const wrongPassword = `Postgres at ${where} refuses the password of the user "${user}". ${change}.`;
  switch (code) {
    case '28P01':
      return wrongPassword;
    // PgBouncer's code for each of its refusals.
    case '08P01':
      if (/authentication failed/.test(message)) return wrongPassword;
      return `The pooler at ${where} refuses the connection (${message.split(' - ').at(-1)}). ${change}, or the pooler.`;
    case '28000':
      return `Postgres at ${where} denies the user "${user}" access to the database "${database}" (${message}). ${change}, or its pg_hba.conf.`;
    case '3D000':
      return `Postgres at ${where} has no database "${database}". Create it, or correct its name in DATABASE_URL.`;
    case '42501':
      return `Postgres at ${where} denies the user "${user}" this operation in the database "${database}" (${message.split(' - ').at(-1)}). Grant it, or use another user in DATABASE_URL.`;
    case '53300':
      return `Postgres at ${where} has no free connection. Raise its max_connections, or lower DATABASE_POOL or WORKERS.`;
    case '57P03':
      return `Postgres at ${where} is starting or stopping. Try again in a moment.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The host "${host}" has no address (${code}). ${change}, or the name server.`;
    case 'ECONNREFUSED':
    case 'ENOENT':
      return `Nothing listens at ${where} (${code}). Start Postgres there, or correct DATABASE_URL.`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${where} cannot be reached (${code}). ${change}, or the network.`;
  }
  if (/client password must be a/.test(message)) {
    return `Postgres at ${where} requires a password, but DATABASE_URL has none for the user "${user}". ${change}.`;
  }
  if (/does not support SSL/.test(message)) {
    return `Postgres at ${where} does not support TLS, but DATABASE_URL requires it (sslmode).`;
  }
  if (
    code === 'ETIMEDOUT' ||
    /connection timeout|timeout exceeded when trying to connect|timeout expired/.test(message)
  ) {
    return `Postgres at ${where} does not answer in time. Check that it is running, that no firewall blocks this host, and DATABASE_URL.`;
  }
  return undefined;
}

/** For a database without any table of this program. */
export function emptySentence(settings: Settings): string {
  if (settings.kind === 'sqlite') return `The database at ${settings.file} is empty.`;
  const { where, database } = targetOf(settings.url);
  return `The database "${database}" of Postgres at ${where} is empty.`;
}

/** Parsed as `pg` parses it. The settings have checked that it is a URL. */
function targetOf(url: string): Target {
  const { hostname, port, username, pathname, searchParams } = new URL(url);
  const folder = searchParams.get('host');
  const host = folder ?? decoded(hostname);
  const user = decoded(username) || (process.env.PGUSER ?? process.env.USER ?? '');
  const where = host.startsWith('/') ? host : `${host}:${port || '5432'}`;
  return { host, where, user, database: decoded(pathname.slice(1)) || user };
}

/** `pg` accepts a bare `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** By SQLite's primary result codes. */
const sqliteProblems: Readonly<Record<number, string>> = {
  5: 'is locked by another program',
  8: 'is not writable',
  10: 'cannot be read or written: the disk fails',
  11: 'is damaged: restore it from a back-up',
  13: 'cannot grow: the disk is full',
  14: 'cannot be opened',
  26: 'is not a SQLite database',
};

function sqliteReason(error: unknown, file: string): string | undefined {
  const problem = sqliteProblems[sqliteCode(error)];
  return problem && `${file} ${problem}. Check DATA_DIR.`;
}
