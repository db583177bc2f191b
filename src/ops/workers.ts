/** Several workers on one port (`WORKERS`). The primary process starts and replaces them, and passes signals on. */
import cluster from 'node:cluster';

interface WorkersSettings {
  readonly workers: number;
  /** With a route table, SIGHUP reloads it. Without one, SIGHUP has its default meaning: the terminal has closed. */
  readonly gatewayRoutes: string | undefined;
}

/** A worker that exits this soon after its start would exit again. */
const soonMs = 2_000;

export function superviseWorkers({ workers, gatewayRoutes }: WorkersSettings): void {
  let stopping = false;
  const started = new Map<number, number>();
  const fork = () => {
    const worker = cluster.fork();
    started.set(worker.id, Date.now());
  };
  for (let i = 0; i < workers; i += 1) fork();
  cluster.on('exit', (worker, code) => {
    const lived = Date.now() - (started.get(worker.id) ?? 0);
    started.delete(worker.id);
    if (stopping) {
      if (started.size === 0) process.exit(0);
    } else if (lived < soonMs) {
      process.stderr.write('A worker ended right after its start.\n');
      process.exit(code || 1);
    } else fork();
  });
  const stop = () => {
    stopping = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (gatewayRoutes !== undefined) passReloadOn();
}

/** SIGHUP ends a worker that is still starting, which may have read the old table. So it is sent once it listens. */
function passReloadOn(): void {
  const listening = new Set<number>();
  const late = new Set<number>();
  cluster.on('listening', ({ id, process: child }) => {
    listening.add(id);
    if (late.delete(id)) child.kill('SIGHUP');
  });
  process.on('SIGHUP', () => {
    for (const worker of Object.values(cluster.workers ?? {})) {
      if (worker && listening.has(worker.id)) worker.process.kill('SIGHUP');
      else if (worker) late.add(worker.id);
    }
  });
}
