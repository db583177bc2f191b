/**
 * The counters of the product, one row each, in Prometheus' format. prom-client takes some 40 ms to load, which a start
 * should not wait for: what is counted before `start` has loaded it is kept and counted then. Names get `gatehouse_` in front.
 */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';

export const metricsPrefix = 'gatehouse_';

/** docs/metrics.md lists the same, and Node's own metrics. */
export const metricsTable = {
  http_requests_total: { type: 'counter', help: 'Requests answered.', labels: ['route', 'method', 'status'] },
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from a request to the end of its answer.',
    labels: ['route'],
  },
  tokens_issued_total: { type: 'counter', help: 'Tokens issued.', labels: ['grant_type', 'kind'] },
  sign_ins_total: {
    type: 'counter',
    help: 'Attempts to sign in: signed_in, refused, throttled, or second_factor where one was asked for.',
    labels: ['outcome'],
  },
  credential_failures_total: {
    type: 'counter',
    help: 'Wrong admin keys and client credentials: refused, or throttled where too many came before.',
    labels: ['kind', 'outcome'],
  },
  audit_events_total: { type: 'counter', help: 'Audit records written.', labels: ['event'] },
  audit_events_dropped_total: {
    type: 'counter',
    help: 'Audit records that could not be written and are in the log only.',
    labels: [],
  },
  refusals_total: {
    type: 'counter',
    help: 'Requests refused, by where and by the check that failed.',
    labels: ['endpoint', 'check'],
  },
  refusals_dropped_total: {
    type: 'counter',
    help: 'Refusals that are counted and in no record: too many at once, or the database was away.',
    labels: [],
  },
  mails_total: { type: 'counter', help: 'Mails by what became of them: sent or failed.', labels: ['outcome'] },
  client_lookups_total: {
    type: 'counter',
    help: 'Look-ups of a client by where it was found: process, redis, sql or none.',
    labels: ['from'],
  },
  db_round_trips_total: { type: 'counter', help: 'Round trips to the database.', labels: [] },
  redis_up: {
    type: 'gauge',
    help: 'Whether Redis answers: 1, 0, or absent where none is configured.',
    labels: [],
    // Of several processes one that is cut off is the news.
    aggregator: 'min',
  },
} as const satisfies Record<
  string,
  { type: 'counter' | 'gauge' | 'histogram'; help: string; labels: readonly string[]; aggregator?: 'min' }
>;

type Table = typeof metricsTable;
type Named<Type> = { [Name in keyof Table]: Table[Name]['type'] extends Type ? Name : never }[keyof Table];
type Labels<Name extends keyof Table> = { readonly [Label in Table[Name]['labels'][number]]: string };

export interface Metrics {
  count<Name extends Named<'counter'>>(name: Name, labels: Labels<Name>, by?: number): void;
  observe<Name extends Named<'histogram'>>(name: Name, labels: Labels<Name>, value: number): void;
  set<Name extends Named<'gauge'>>(name: Name, labels: Labels<Name>, value: number): void;
  /** A metric without labels whose value is asked for when somebody looks; undefined: leave it out. */
  read(name: 'db_round_trips_total' | 'redis_up', value: () => number | undefined): void;
  /** Loads what it needs; call it once the server answers. */
  start(): Promise<void>;
  /** The page for Prometheus. */
  page(): Promise<MetricsPage>;
  /** The same as JSON, for `pageOfAll`. */
  snapshot(): Promise<object[]>;
}

export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/** One page of the snapshots of several processes: counters and histograms are added up. */
export async function pageOfAll(snapshots: readonly object[][]): Promise<MetricsPage> {
  const { AggregatorRegistry } = (await import('prom-client')).default;
  const registry = AggregatorRegistry.aggregate([...snapshots]);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

/** From a millisecond, which a cached answer takes, to the ten seconds a request may last. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const keptMax = 1000;

interface Loaded {
  readonly registry: Registry;
  readonly metrics: Map<string, Counter | Gauge | Histogram>;
}

export function createMetrics(): Metrics {
  let loaded: Loaded | undefined;
  let loading: Promise<Loaded> | undefined;
  let kept: ((to: Loaded) => void)[] = [];

  const load = async (): Promise<Loaded> => {
    const prom = (await import('prom-client')).default;
    const registry = new prom.Registry();
    const metrics = new Map<string, Counter | Gauge | Histogram>();
    for (const [short, row] of Object.entries(metricsTable)) {
      const { type, help, labels } = row;
      const aggregator = 'aggregator' in row ? { aggregator: row.aggregator } : {};
      const options = {
        name: metricsPrefix + short,
        help,
        labelNames: [...labels],
        registers: [registry],
        ...aggregator,
      };
      if (type === 'counter') metrics.set(short, new prom.Counter(options));
      else if (type === 'gauge') {
        const gauge = new prom.Gauge(options);
        // It begins at 0 by itself, which for redis_up would be a lie.
        gauge.remove();
        metrics.set(short, gauge);
      } else metrics.set(short, new prom.Histogram({ ...options, buckets }));
    }
    prom.collectDefaultMetrics({ register: registry, prefix: metricsPrefix });
    loaded = { registry, metrics };
    for (const each of kept) each(loaded);
    kept = [];
    return loaded;
  };
  const start = (): Promise<Loaded> => {
    loading ??= load();
    return loading;
  };
  const run = (work: (to: Loaded) => void): void => {
    if (loaded !== undefined) {
      work(loaded);
      return;
    }
    kept.push(work);
    if (kept.length >= keptMax) void start();
  };

  return {
    count: (name, labels, by = 1) => run(({ metrics }) => (metrics.get(name) as Counter).inc(labels, by)),
    observe: (name, labels, value) => run(({ metrics }) => (metrics.get(name) as Histogram).observe(labels, value)),
    set: (name, labels, value) => run(({ metrics }) => (metrics.get(name) as Gauge).set({ ...labels }, value)),
    read: (name, value) =>
      run(({ metrics }) => {
        const metric = metrics.get(name) as (Counter | Gauge) & { collect?: () => void };
        metric.collect = () => {
          const now = value();
          if (now === undefined) metric.remove();
          else {
            metric.reset();
            metric.inc(now);
          }
        };
      }),
    async start() {
      await start();
    },
    async page() {
      const { registry } = await start();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    async snapshot() {
      return (await start()).registry.getMetricsAsJSON();
    },
  };
}
