/** Which records of the audit trail a command is about, as its options say it. */
import { nowMs } from '../base/clock.ts';
import { auditEvents } from '../core/kernel/audit.ts';
import { nearestWord } from '../core/refusals/nearest.ts';
import type { AuditFilter } from '../core/stores/audit.ts';
import { findAccount } from './accounts/account-argument.ts';
import type { Call, CommandCore, Opt } from './command.ts';
import { UsageError } from './usage-error.ts';

export const filterOptions: readonly Opt[] = [
  { flags: '--event <name>', sentence: 'Only this event: docs/audit.md lists them.' },
  { flags: '--account <account>', sentence: 'Only of this person: username, subject, or `id:` and the number.' },
  { flags: '--client <id>', sentence: 'Only of this application.' },
  { flags: '--address <address>', sentence: 'Only from this IP address.' },
  { flags: '--request <id>', sentence: 'Only of this request: its id, or the reference of a refusal.' },
  { flags: '--since <time>', sentence: 'From then on: `2026-11-30`, `2026-11-30T12:00Z`, or `90m`, `24h`, `7d` ago.' },
  { flags: '--until <time>', sentence: 'Before then, written in the same way.' },
];

/** Throws `UsageError`. A subject that no account has any more is looked for all the same. */
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
/** A date alone begins at midnight UTC; a time without a zone would depend on the machine. */
const instant = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

function timeOf(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return nowMs() - Number(count) * (units[unit] ?? 0);
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`--${option} ${text} is no time. Write 2026-11-30, 2026-11-30T12:00Z, or 24h for a day ago.`);
  return ms;
}
