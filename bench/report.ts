/** Formats the results as tables. */
import type { Sample } from './measure.ts';
import { type Operation, type OperationName, operations } from './operations.ts';
import type { Kind } from './servers.ts';

export interface Result {
  readonly operation: OperationName;
  readonly kind: Kind;
  readonly samples: readonly Sample[];
  readonly roundTrips: number | undefined;
  /** MB after this operation. */
  readonly rss: number;
}

export interface Start {
  readonly kind: Kind;
  /** Milliseconds, one per start with a warm compile cache. */
  readonly startMs: readonly number[];
  /** MB, shortly after the start. */
  readonly idleRss: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.floor(half)] ?? 0) + (sorted[Math.ceil(half) - 1] ?? 0)) / 2;
}

/** Compares round by round, so that a slow phase of the machine affects both sides. */
export function ratios(result: Result, bare: Result | undefined): number[] {
  return result.samples.map((sample, round) => sample.rate / (bare?.samples[round]?.rate ?? Number.NaN));
}

export function resultTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { title, target }: Operation = operations[result.operation];
    const bare = results.find(({ operation, kind }) => operation === result.operation && kind === 'bare');
    const of = (value: (sample: Sample) => number) => median(result.samples.map(value));
    const ratio = result.kind === 'bare' || !bare ? [] : ratios(result, bare);
    const cpuRatio = bare && median(bare.samples.map(({ cpu }) => cpu)) / of(({ cpu }) => cpu);
    const aim = result.kind === 'bare' ? undefined : target?.[result.kind];
    return [
      title,
      result.kind,
      whole(of(({ rate }) => rate)),
      of(({ p50 }) => p50).toFixed(1),
      of(({ p99 }) => p99).toFixed(1),
      whole(of(({ cpu }) => cpu)),
      `${whole(of(({ serverBusy }) => serverBusy) * 100)} %`,
      ratio.length === 0
        ? ''
        : `${median(ratio).toFixed(2)} (${Math.min(...ratio).toFixed(2)}–${Math.max(...ratio).toFixed(2)})`,
      ratio.length === 0 || cpuRatio === undefined ? '' : cpuRatio.toFixed(2),
      aim === undefined ? '' : `${aim}${ratio.length > 0 && median(ratio) >= aim ? ' met' : ''}`,
      result.roundTrips === undefined ? '' : String(result.roundTrips),
      String(result.rss),
    ];
  });
  return table(
    [
      'operation',
      'server',
      'per second',
      'p50 ms',
      'p99 ms',
      'CPU µs',
      'busy',
      'ratio (spread)',
      'by CPU',
      'aim',
      'db trips',
      'RSS MB',
    ],
    rows,
  );
}

/** The processor time of a sign-in beyond its password hash. */
export function beyondTheHash(results: readonly Result[]): string[] {
  const cpuOf = (kind: Kind): number | undefined => {
    const found = results.find((result) => result.operation === 'login' && result.kind === kind);
    return found && median(found.samples.map(({ cpu }) => cpu));
  };
  const bare = cpuOf('bare');
  return (['sqlite', 'postgres'] as const).flatMap((kind) => {
    const own = cpuOf(kind);
    return bare === undefined || own === undefined
      ? []
      : [
          `login on ${kind}: ${((own - bare) / 1000).toFixed(2)} ms of processor time beyond the hash (${(bare / 1000).toFixed(2)} ms)`,
        ];
  });
}

export function startTable(starts: readonly Start[]): string {
  return table(
    ['server', 'start to discovery, ms (spread)', 'idle RSS MB'],
    starts.map(({ kind, startMs, idleRss }) => [
      kind,
      `${whole(median(startMs))} (${whole(Math.min(...startMs))}–${whole(Math.max(...startMs))})`,
      String(idleRss),
    ]),
  );
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
