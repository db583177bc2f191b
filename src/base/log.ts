/**
 * The log: JSON lines in production, readable lines in development. Secrets are removed from every field at any depth.
 * A log reader that exits (`node … | head`) or stops reading never stops the server.
 */
import { isNativeError } from 'node:util/types';
import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import { removed, withoutSecrets } from './redact.ts';

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'isLevelEnabled'> & {
  child(fields: object): Logger;
};

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

interface OpenLog {
  readonly log: Logger;
  /** Writes `text` to the log's destination unchanged, at every level and with its secrets. */
  print(text: string): void;
  /** Flushes the buffer. Waits at most one second for a reader that does not read. */
  close(): Promise<void>;
}

/** Maximum number of bytes that wait for a slow reader. Further lines are dropped. */
const bufferMax = 4 * 1024 * 1024;

export function createLog(options: {
  level: LogLevel;
  format: 'json' | 'readable';
  to?: DestinationStream | undefined;
}): OpenLog {
  const stdout = options.to === undefined ? openStdout() : undefined;
  const to = options.to ?? stdout;
  if (to === undefined) throw new Error('The log has no destination.');
  const logger = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => cleanFields(fields),
      },
      // cleanFields has already turned errors into objects, before pino can.
      serializers: { err: (err: unknown) => err },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[];
          const plain = isNativeError(first) ? [{ err: first }, first.message, ...rest] : [first, ...rest];
          method.apply(
            this,
            plain.map((part) => (typeof part === 'string' ? withoutSecrets(part) : part)) as Parameters<typeof method>,
          );
        },
      },
    },
    options.format === 'json' ? to : { write: (line: string) => to.write(readable(line)) },
  );
  // pino adds a child's fields to every line unchanged; children inherit this method.
  const { child } = logger;
  const log: Logger = Object.assign(logger, {
    child(this: PinoLogger, fields: object): Logger {
      return child.call(this, cleanFields(fields));
    },
  });
  return {
    log,
    print: (text) => void to.write(text),
    close: () =>
      new Promise((resolve) => {
        if (stdout === undefined) return resolve();
        const timer = setTimeout(() => {
          // No reader. The buffer is dropped, because another attempt to write it at exit would keep the process alive.
          stdout.write = () => true;
          stdout.destroy();
          resolve();
        }, 1000);
        stdout.flush(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/**
 * Asynchronous, so a full pipe delays lines but not the server; pino's destination survives EPIPE. `minLength` is 1,
 * because with 0 `flush` calls back before pending writes are done.
 */
function openStdout(): ReturnType<typeof pino.destination> {
  const stdout = pino.destination({ fd: 1, sync: false, minLength: 1, maxLength: bufferMax });
  // For other writers to these streams: without a listener, EPIPE is an uncaught exception.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return stdout;
}

/** Names of fields, headers and parameters that hold secrets; compared without case, `-` and `_`. */
const secretNames = new Set(
  `authorization proxyauthorization cookie setcookie password currentpassword newpassword passwordhash secret clientsecret
  secretkey privatekey adminkey xadminkey code usercode devicecode codeverifier token accesstoken refreshtoken idtoken
  idtokenhint logouttoken registrationaccesstoken clienttoken subjecttoken actortoken assertion clientassertion otp
  xotp totp csrf sealed dpop jti`.split(/\s+/),
);

function cleanFields(fields: object): Record<string, unknown> {
  return cleanObject(fields, 0);
}

function cleanObject(fields: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const secret = value !== undefined && value !== null && secretNames.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
    clean[name] = secret ? removed : cleanValue(value, depth + 1);
  }
  return clean;
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > 6) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => cleanValue(item, depth + 1));
  if (isNativeError(value)) return cleanError(value, depth);
  return cleanObject(value, depth);
}

function cleanError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: withoutSecrets(error.message),
    ...(error.stack !== undefined && { stack: withoutSecrets(error.stack) }),
    ...cleanObject(error, depth),
    // An error's code is like ECONNREFUSED or 23505; any other text may be an authorization code.
    ...(typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) && { code }),
    ...(error.cause !== undefined && { cause: cleanValue(error.cause, depth + 1) }),
  };
}

/** `12:30:01.123 warn  what happened  name=value …`, with an error's stack below. */
function readable(line: string): string {
  const { level, time, pid: _pid, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const fields = Object.entries(rest)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `  ${name}=${typeof value === 'string' ? oneLine(value) : JSON.stringify(value)}`);
  return `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${oneLine(String(msg ?? ''))}${fields.join('')}\n${errorText(err)}`;
}

function errorText(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const { stack, message, cause } = err as Record<string, unknown>;
  const text = `    ${String(stack ?? message).replaceAll('\n', '\n    ')}\n`;
  return cause === undefined ? text : `${text}    because of\n${errorText(cause)}`;
}

/** Keeps a log entry on one line, and escapes control characters so that a request cannot steer a terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (sign) =>
    JSON.stringify(sign)
      .slice(1, -1)
      .replace(/^[^\\]$/u, '\uFFFD'),
  );
}
