/** The options that select audit records. */
import { nowMs } from '../base/clock.ts';
import { auditEvents } from '../core/kernel/audit.ts';
import { nearestWord } from '../core/refusals/nearest.ts';
import type { AuditFilter } from '../core/stores/audit.ts';
import { findAccount } from './accounts/account-argument.ts';
import type { Call, CommandCore, Opt } from './command.ts';
import { UsageError } from './usage-error.ts';

export const filterOptions: readonly Opt[] = [
  { flags: '--event <name>', sentence: 'Only this event. docs/audit.md lists all.' },
  { flags: '--account <account>', sentence: 'Only this account: username, subject, or `id:` and the number.' },
  { flags: '--client <id>', sentence: 'Only this application.' },
  { flags: '--address <address>', sentence: 'Only from this IP address.' },
  { flags: '--request <id>', sentence: 'Only this request: its id, or the reference of a refusal.' },
  {
    flags: '--since <time>',
    sentence: 'From this time on: `2026-11-30`, `2026-11-30T12:00Z`, or `90m`, `24h`, `7d` ago.',
  },
  { flags: '--until <time>', sentence: 'Before this time, in the same form.' },
];

/** Throws `UsageError`. A subject whose account was deleted is allowed. */
export async function filterOf(call: Call, core: CommandCore): Promise<AuditFilter> {
  const account = call.text('account');
  const subject = account === undefined ? undefined : ((await findAccount(core, account))?.subject ?? account);
  return {
    event: eventOf(call.text('event')),
    subject,
    clientId: call.text('client'),
    address: call.text('address'),
    requestId: call.text('request'),
    sinceMs: timeOf('since', call.text('since')),
    untilMs: timeOf('until', call.text('until')),
  };
}

function eventOf(name: string | undefined): string | undefined {
  if (name === undefined || Object.hasOwn(auditEvents, name)) return name;
  const nearest = nearestWord(name, Object.keys(auditEvents));
  throw new UsageError(
    `There is no event ${name}. ${nearest === undefined ? 'See: docs/audit.md' : `Did you mean ${nearest}?`}`,
  );
}

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A date alone means midnight UTC; a time needs a zone, because it would depend on the machine otherwise. */
const instant = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return nowMs() - Number(count) * (units[unit] ?? 0);
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UsageError(
      `--${option} ${text} is not a time. Write 2026-11-30, 2026-11-30T12:00Z, or 24h for a day ago.`,
    );
  return ms;
}
