/** Runs the server as a program: `npm start` and `cli serve`. */
import cluster from 'node:cluster';
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { inUseNotice } from './api/served.ts';
import { surfaces } from './api/surfaces.ts';
import { type App, createApp } from './app.ts';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load.ts';
import { describeMistakes } from './config/mistakes.ts';
import { readSettings, type SettingsChecks } from './config/read-settings.ts';
import { generateKey } from './core/keys/keys.ts';
import { mistakesInRoutes } from './gateway/read-routes.ts';
import { mistakesInProviders } from './login/open.ts';
import { openCore } from './open-core.ts';
import { banner } from './ops/banner.ts';
import { createMetricsServer } from './ops/metrics-server.ts';
import { startProblem } from './ops/start-problem.ts';
import { collectMetrics } from './ops/worker-metrics.ts';
import { superviseWorkers } from './ops/workers.ts';
import { mistakesInViews } from './pages/open.ts';

export const settingsChecks: SettingsChecks = {
  surfaces: Object.keys(surfaces),
  files: { GATEWAY_ROUTES: mistakesInRoutes, UPSTREAMS: mistakesInProviders, VIEWS_DIR: mistakesInViews },
};

export async function serve(environment: NodeJS.ProcessEnv): Promise<void> {
  // The primary has already checked the settings of a worker.
  const loaded = cluster.isWorker ? loadConfig(environment) : await readSettings(environment, settingsChecks);
  if (!loaded.ok) {
    process.stderr.write(`${describeMistakes(loaded.mistakes, loaded.warnings)}\n`);
    process.exitCode = 1;
    return;
  }
  const { config } = loaded;
  if (!cluster.isWorker) for (const warning of loaded.warnings) process.stderr.write(`${warning}\n`);
  try {
    if (config.workers > 1 && cluster.isPrimary) {
      await openMetrics(config, collectMetrics().page);
      superviseWorkers(config);
    } else await run(config);
  } catch (error) {
    process.stderr.write(`${startProblem(error, config)}\n`);
    process.exit(1);
  }
}

async function run(config: Config): Promise<void> {
  // A first start needs an RSA key: it is generated on another thread while the rest loads.
  const first = config.database.kind === 'sqlite' && !existsSync(config.database.file);
  const core = await openCore(config, { earlyKey: first ? generateKey('RS256') : undefined });
  // Output of libraries goes to the log, with a level and a format.
  console.warn = (...words: unknown[]) => core.log.debug({ library: words.join(' ') }, 'a library warns');
  console.info = (...words: unknown[]) => core.log.debug({ library: words.join(' ') }, 'a library says');
  const app = await createApp(core);
  // Before listening, because the primary passes signals on from then. Without a route table, SIGHUP keeps its default
  // meaning: the terminal has closed.
  if (config.gatewayRoutes !== undefined) process.on('SIGHUP', () => void app.reloadRoutes());
  await app.listen();
  let metricsServer: Server | undefined;
  stopOnSignals(app, () => metricsServer?.close());
  // With several processes, the primary serves the metrics of all.
  metricsServer = cluster.isWorker ? undefined : await openMetrics(config, app.metricsPage);
  await core.metrics.start();
  // With several workers, only the first prints the banner.
  if (cluster.isWorker && cluster.worker?.id !== 1) return;
  await banner(app, core.print);
  const notice = inUseNotice(app.surfacesInUse);
  if (notice !== undefined) process.stderr.write(`${notice}\n`);
}

async function openMetrics({ metrics: { port, host, tokens } }: Config, page: App['metricsPage']) {
  return port === undefined ? undefined : createMetricsServer({ port, host, tokens, page });
}

const drainingMs = 250;

function stopOnSignals(app: App, also: () => void): void {
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    app.core.log.info({ signal }, 'stopping');
    also();
    // Open connections end with their next response. Closing them at once would lose unread requests.
    app.startDraining();
    await sleep(drainingMs);
    await app.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
}
