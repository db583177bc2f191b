/** One run of the server as a program: `npm start` and `cli serve`. */
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type App, createApp } from './app.ts';
import type { Logger } from './base/log.ts';
import { inUseNotice } from './composition/api-surfaces.ts';
import { readSettings } from './composition/settings.ts';
import { startProblem } from './composition/start-problem.ts';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load.ts';
import { describeMistakes } from './config/mistakes.ts';
import { generateKey } from './core/keys/keys.ts';
import { openCore } from './open-core.ts';
import { banner } from './ops/banner.ts';
import { createMetricsServer } from './ops/metrics-server.ts';
import { collectMetrics } from './ops/worker-metrics.ts';

export async function serve(environment: NodeJS.ProcessEnv): Promise<void> {
  // What a worker is given its primary has looked through.
  const loaded = cluster.isWorker ? loadConfig(environment) : await readSettings(environment);
  if (!loaded.ok) {
    process.stderr.write(`${describeMistakes(loaded.mistakes, loaded.warnings)}\n`);
    process.exitCode = 1;
    return;
  }
  const { config } = loaded;
  if (!cluster.isWorker) for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`);
  if (config.workers > 1 && cluster.isPrimary) await supervise(config);
  else await run(config);
}

async function run(config: Config): Promise<void> {
  // A first start needs an RSA key: it is made on another thread while everything else is loaded.
  const first = config.database.kind === 'sqlite' && !existsSync(config.database.file);
  const earlyKey = first ? generateKey('RS256') : undefined;
  try {
    const core = await openCore(config, { earlyKey });
    quieten(core.log);
    const app = await createApp(core);
    // Before it listens: from then on the supervisor passes signals on.
    reloadOnSignal(config, () => void app.reloadRoutes());
    await app.listen();
    let metricsServer: Server | undefined;
    stopOnSignals(app, () => metricsServer?.close());
    // Of several processes the primary has the port, and the figures of all.
    metricsServer = cluster.isWorker ? undefined : await openMetrics(config, app.metricsPage);
    await core.metrics.start();
    if (!isFirst()) return;
    await banner(app, core.print);
    const notice = inUseNotice(app.surfacesInUse);
    if (notice !== undefined) process.stderr.write(`${notice}\n`);
  } catch (error) {
    failStart(error, config);
  }
}

/** Of several workers one speaks for all. */
const isFirst = (): boolean => !cluster.isWorker || cluster.worker?.id === 1;

async function openMetrics({ metrics: { port, host, tokens } }: Config, page: App['metricsPage']) {
  return port === undefined ? undefined : createMetricsServer({ port, host, tokens, page });
}

function failStart(error: unknown, config: Config): never {
  process.stderr.write(`${startProblem(error, config)}\n`);
  process.exit(1);
}

async function supervise(config: Config): Promise<void> {
  await openMetrics(config, collectMetrics().page).catch((error) => failStart(error, config));
  superviseWorkers(config);
}

const drainingMs = 250;

function stopOnSignals(app: App, also: () => void): void {
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    app.core.log.info({ signal }, 'stopping');
    also();
    // Connections in use end with their next answer. Whoever closed them at once would cut off requests that have been sent
    // but not yet read.
    app.startDraining();
    await sleep(drainingMs);
    await app.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
}

/** Only where there is a table to read again: otherwise SIGHUP means, as ever, that the terminal has gone. */
function reloadOnSignal(config: Config, reload: () => void): void {
  if (config.gatewayRoutes !== undefined) process.on('SIGHUP', reload);
}

/** Libraries that print go to the log, where a line has a level and a shape. */
function quieten(log: Logger): void {
  console.warn = (...words: unknown[]) => log.debug({ library: words.join(' ') }, 'a library warns');
  console.info = (...words: unknown[]) => log.debug({ library: words.join(' ') }, 'a library says');
}

/** One process per worker on one port; a worker that dies is replaced, unless it dies at once again and again. */
function superviseWorkers(config: Config): void {
  let stopping = false;
  const started = new Map<number, number>();
  const fork = () => {
    const worker = cluster.fork();
    started.set(worker.id, Date.now());
  };
  for (let i = 0; i < config.workers; i += 1) fork();
  cluster.on('exit', (worker, code) => {
    const lived = Date.now() - (started.get(worker.id) ?? 0);
    started.delete(worker.id);
    if (stopping) {
      if (started.size === 0) process.exit(0);
    } else if (lived < 2_000) {
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
  // One that is still starting would die of it, and may have read the old table: it is told as soon as it listens.
  const listening = new Set<number>();
  const late = new Set<number>();
  cluster.on('listening', ({ id, process: child }) => {
    listening.add(id);
    if (late.delete(id)) child.kill('SIGHUP');
  });
  reloadOnSignal(config, () => {
    for (const worker of Object.values(cluster.workers ?? {})) {
      if (worker && listening.has(worker.id)) worker.process.kill('SIGHUP');
      else if (worker) late.add(worker.id);
    }
  });
}
