/**
 * The counters of this program in Prometheus format, one row each. prom-client takes about 40 ms to load, so it loads
 * after the start; counts until then are kept and added later. Names get the prefix `gatehouse_`.
 */
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';

export const metricsPrefix = 'gatehouse_';

/** docs/metrics.md lists the same rows, and Node's own metrics. */
export const metricsTable = {
  http_requests_total: { type: 'counter', help: 'Requests answered.', labels: ['route', 'method', 'status'] },
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from a request to the end of its response.',
    labels: ['route'],
  },
  tokens_issued_total: { type: 'counter', help: 'Tokens issued.', labels: ['grant_type', 'kind'] },
  sign_ins_total: {
    type: 'counter',
    help: 'Sign-in attempts: signed_in, refused, throttled, or second_factor if one is required.',
    labels: ['outcome'],
  },
  credential_failures_total: {
    type: 'counter',
    help: 'Wrong admin keys and client credentials: refused, or throttled after too many failures.',
    labels: ['kind', 'outcome'],
  },
  device_codes_total: {
    type: 'counter',
    help: 'Codes of devices: begun, found, unknown, throttled, approved or denied.',
    labels: ['outcome'],
  },
  audit_events_total: { type: 'counter', help: 'Audit records written.', labels: ['event'] },
  audit_events_dropped_total: {
    type: 'counter',
    help: 'Audit records that could not be written and are only in the log.',
    labels: [],
  },
  refusals_total: {
    type: 'counter',
    help: 'Refused requests, by endpoint and failed check.',
    labels: ['endpoint', 'check'],
  },
  refusals_dropped_total: {
    type: 'counter',
    help: 'Refusals that are counted but not recorded: too many at once, or the database was unavailable.',
    labels: [],
  },
  outgoing_requests_total: {
    type: 'counter',
    help: 'Requests to addresses that clients named: answered, or the rule or fault that stopped them.',
    labels: ['purpose', 'outcome'],
  },
  registrations_total: {
    type: 'counter',
    help: 'Requests of clients to register themselves, by outcome: registered, invalid, throttled, full, token-needed or token-refused.',
    labels: ['outcome'],
  },
  dynamic_clients_expired_total: {
    type: 'counter',
    help: 'Clients that registered themselves and expired.',
    labels: [],
  },
  mails_total: { type: 'counter', help: 'Mails by outcome: sent or failed.', labels: ['outcome'] },
  deliveries_total: {
    type: 'counter',
    help: 'Attempts to deliver messages to applications, by kind: delivered, retried, failed or dropped.',
    labels: ['kind', 'outcome'],
  },
  deliveries_waiting: {
    type: 'gauge',
    help: 'Messages to applications that wait to be delivered, as of the last look of this process.',
    labels: [],
    // All processes look at the same messages.
    aggregator: 'max',
  },
  client_lookups_total: {
    type: 'counter',
    help: 'Client look-ups by where the client was found: process, redis, sql or none.',
    labels: ['from'],
  },
  db_round_trips_total: { type: 'counter', help: 'Round trips to the database.', labels: [] },
  redis_up: {
    type: 'gauge',
    help: '1 if Redis answers, otherwise 0; absent if Redis is not configured.',
    labels: [],
    // One process without Redis is worth reporting, so the lowest value counts.
    aggregator: 'min',
  },
} as const satisfies Record<
  string,
  { type: 'counter' | 'gauge' | 'histogram'; help: string; labels: readonly string[]; aggregator?: 'min' | 'max' }
>;

type Table = typeof metricsTable;
type Named<Type> = { [Name in keyof Table]: Table[Name]['type'] extends Type ? Name : never }[keyof Table];
type Labels<Name extends keyof Table> = { readonly [Label in Table[Name]['labels'][number]]: string };

export interface Metrics {
  count<Name extends Named<'counter'>>(name: Name, labels: Labels<Name>, by?: number): void;
  observe<Name extends Named<'histogram'>>(name: Name, labels: Labels<Name>, value: number): void;
  set<Name extends Named<'gauge'>>(name: Name, labels: Labels<Name>, value: number): void;
  /** For metrics without labels: reads the value at each scrape; undefined leaves the metric out. */
  read(name: 'db_round_trips_total' | 'redis_up', value: () => number | undefined): void;
  /** Loads prom-client. Call it once the server answers. */
  start(): Promise<void>;
  /** The page for a scrape. */
  page(): Promise<MetricsPage>;
  /** The same metrics as JSON, for `pageOfAll`. */
  snapshot(): Promise<object[]>;
}

export interface MetricsPage {
  readonly contentType: string;
  readonly body: string;
}

/** One page from the snapshots of several processes. Counters and histograms are added up. */
export async function pageOfAll(snapshots: readonly object[][]): Promise<MetricsPage> {
  const { AggregatorRegistry } = (await import('prom-client')).default;
  const registry = AggregatorRegistry.aggregate([...snapshots]);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

/** From 1 ms (a cached response) to 10 s (the longest request). */
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
        // prom-client starts a gauge at 0, which would be wrong for redis_up.
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
