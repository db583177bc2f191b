/**
 * Metrics of several processes on one port (`WORKERS`): each counts for itself, and a scrape that met one of them by chance
 * would jump. So the primary process asks all of them and adds up, also for a scrape that reached a worker.
 */
import cluster from 'node:cluster';
import { type Metrics, type MetricsPage, pageOfAll } from '../base/metrics.ts';

/** Between the primary and a worker; `id` tells answers apart. */
type Message =
  | { readonly gatehouse: 'snapshot?' | 'page?'; readonly id: number }
  | { readonly gatehouse: 'snapshot'; readonly id: number; readonly snapshot: object[] }
  | { readonly gatehouse: 'page'; readonly id: number; readonly page: MetricsPage };

/** For a worker that hangs: what the others say is not held up by it. */
const patienceMs = 2000;

/** In a worker: answers the primary, which `page` asks in its turn; in a process by itself `page` is its own. */
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

/** In the primary: the page of all workers that answer in time, here and for those that ask for it. */
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

/** The other end may have gone: then there is nothing to tell it. */
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
