/**
 * Metrics of several processes on one port (`WORKERS`). Each process counts alone, and a scrape reaches one of them at
 * random. So the primary process adds up the metrics of all workers, also for a scrape that reached a worker.
 */
import cluster from 'node:cluster';
import { type Metrics, type MetricsPage, pageOfAll } from '../base/metrics.ts';

/** Messages between the primary and a worker. `id` matches a reply to its request. */
type Message =
  | { readonly gatehouse: 'snapshot?' | 'page?'; readonly id: number }
  | { readonly gatehouse: 'snapshot'; readonly id: number; readonly snapshot: object[] }
  | { readonly gatehouse: 'page'; readonly id: number; readonly page: MetricsPage };

/** A worker that hangs delays the page by this long at most. */
const patienceMs = 2000;

/** In a worker: replies to the primary, and `page` asks the primary. Otherwise `page` is the process's own. */
export function joinMetrics(metrics: Metrics): { page(): Promise<MetricsPage> } {
  if (!cluster.isWorker) return { page: metrics.page };
  const asked = new Map<number, (page: MetricsPage) => void>();
  let last = 0;
  process.on('message', async (message: Message) => {
    if (message.gatehouse === 'page') asked.get(message.id)?.(message.page);
    if (message.gatehouse !== 'snapshot?') return;
    send(process, { gatehouse: 'snapshot', id: message.id, snapshot: await metrics.snapshot() });
  });
  return {
    async page() {
      last += 1;
      const id = last;
      const answered = new Promise<MetricsPage>((resolve) => asked.set(id, resolve));
      try {
        send(process, { gatehouse: 'page?', id });
        return (await within(patienceMs * 2, answered)) ?? (await metrics.page());
      } finally {
        asked.delete(id);
      }
    },
  };
}

/** In the primary: the page of all workers that reply in time. */
export function collectMetrics(): { page(): Promise<MetricsPage> } {
  const asked = new Map<number, (from: number, snapshot: object[]) => void>();
  let last = 0;

  async function page(): Promise<MetricsPage> {
    last += 1;
    const id = last;
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected());
    const waiting = new Set(workers.map((worker) => worker?.id));
    const snapshots: object[][] = [];
    const all = new Promise<true>((resolve) => {
      if (waiting.size === 0) resolve(true);
      asked.set(id, (from, snapshot) => {
        if (waiting.delete(from)) snapshots.push(snapshot);
        if (waiting.size === 0) resolve(true);
      });
    });
    for (const worker of workers) if (worker) send(worker, { gatehouse: 'snapshot?', id });
    await within(patienceMs, all);
    asked.delete(id);
    return pageOfAll(snapshots);
  }

  cluster.on('message', async (worker, message: Message) => {
    if (message.gatehouse === 'snapshot') asked.get(message.id)?.(worker.id, message.snapshot);
    if (message.gatehouse === 'page?') send(worker, { gatehouse: 'page', id: message.id, page: await page() });
  });
  return { page };
}

/** Ignores errors: the other process may have ended. */
function send(to: { send?(message: Message, done: () => void): unknown }, message: Message): void {
  to.send?.(message, () => {});
}

async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, enough]);
  } finally {
    clearTimeout(timer);
  }
}
