/** What no answer may be or say (security.md G7 and 2.3). */
import type { Received } from './wire.ts';

/** What an answer gives away when somebody did not expect the request. */
const leaks: readonly RegExp[] = [
  /\bat (?:async )?(?:[\w.<>]+ \()?(?:\/|file:|node:)/,
  /node_modules/,
  /node:internal/,
  /\b(?:Type|Reference|Range|Syntax|Assertion|Sqlite)?Error: /,
  /\bERR_[A-Z]/,
  /\bECONN|\bENOENT|\bEACCES/,
  /\bknex\b/i,
  /\bioredis\b/i,
  /\bSQLITE_|\bSQLSTATE\b/,
  /\b(?:select|update|delete) [\s\S]{1,80} (?:from|where|set) \S+ (?:where|=)/i,
  /\binsert into \w+ \(/i,
  /\bpg_catalog|\bpostgres:\/\//i,
  /(?:^|[\s"'(])\/(?:home|root|usr|var|tmp|work|app|srv)\/\w/,
  /\b(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b/,
  /\bCannot (?:read|set|destructure) propert|is not a function|is not iterable|is not defined/,
  /\[object Object\]/,
];

/** Undefined: nothing is wrong with it. */
export function complaint(received: Received, requestText: string): string | undefined {
  const { status, body, headers } = received;
  if (status === -1) return 'no answer within 8 s';
  if (status >= 500) return `status ${status}: ${body.slice(0, 300)}`;
  for (const [name] of headers) {
    if (name === 'x-injected' || name === 'x-powered-by' || name === 'server') return `a header ${name}`;
  }
  if (headers.some(([name, value]) => name === 'set-cookie' && value.startsWith('injected=')))
    return 'an injected cookie';
  const leak = leaks
    .map((pattern) => pattern.exec(body)?.[0])
    .find((found) => found !== undefined && !requestText.includes(found));
  return leak === undefined ? undefined : `the body says ${JSON.stringify(leak)}`;
}
