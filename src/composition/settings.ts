/** The settings, and what can be known of the start without a database: all that is wrong with either, at once. */
import { surfaces } from '../api/surfaces.ts';
import { dataDirMistake } from '../config/data-dir.ts';
import { type Environment, type Loaded, loadConfig } from '../config/load.ts';
import { type Mistake, mistake } from '../config/mistakes.ts';
import type { Values } from '../config/schema.ts';
import { surfacesMistake } from '../config/surface-names.ts';
import { readRoutes } from '../gateway/read-routes.ts';
import { loginMethods } from '../login/methods.ts';
import { openLook } from './pages.ts';

/** Reads the files that settings name as well; the server reads them again when it opens what they are for. */
export async function readSettings(environment: Environment): Promise<Loaded> {
  const loaded = loadConfig(environment);
  const named = environment.SURFACES?.trim() || undefined;
  const unknown = named === undefined ? undefined : surfacesMistake(named, Object.keys(surfaces));
  const inFiles = await Promise.all([
    routesMistake(loaded.values),
    providersMistake(loaded.values, environment),
    viewsMistake(loaded.values),
  ]);
  const { DATA_DIR: dataDir, DATABASE_URL: databaseUrl } = loaded.values;
  // With Postgres nothing is kept there; a broken address was to be one.
  const embedded = databaseUrl === undefined && 'DATABASE_URL' in loaded.values;
  const folder = dataDir !== undefined && embedded ? dataDirMistake(dataDir) : undefined;
  const more = [unknown, folder, ...inFiles].filter((one) => one !== undefined);
  if (more.length === 0) return loaded;
  // A name that is no name at all is described better by the one that knows the names.
  const before = loaded.ok ? [] : loaded.mistakes.filter(({ name }) => !unknown || name !== 'SURFACES');
  return { ok: false, mistakes: [...before, ...more], warnings: loaded.warnings, values: loaded.values };
}

type Sound = Partial<Values>;

async function routesMistake({ GATEWAY_ROUTES: file }: Sound): Promise<Mistake | undefined> {
  const read = file === undefined ? undefined : await readRoutes(file);
  if (file === undefined || read?.outcome !== 'mistaken') return undefined;
  return { ...mistake('GATEWAY_ROUTES', file, 'a route table without mistakes'), details: read.text };
}

async function providersMistake(
  { UPSTREAMS: file, NODE_ENV }: Sound,
  environment: Environment,
): Promise<Mistake | undefined> {
  if (file === undefined) return undefined;
  const details = loginMethods.upstream
    ? await loginMethods.upstream.mistakesIn(file, { development: NODE_ENV !== 'production', environment })
    : 'This server has no sign-in through other providers.';
  if (details === undefined) return undefined;
  return { ...mistake('UPSTREAMS', file, 'a list of providers without mistakes'), details };
}

async function viewsMistake({ VIEWS_DIR: folder }: Sound): Promise<Mistake | undefined> {
  if (folder === undefined) return undefined;
  try {
    await openLook({ name: 'Gatehouse' }, folder);
    return undefined;
  } catch (error) {
    const details = error instanceof Error ? error.message : String(error);
    return { ...mistake('VIEWS_DIR', folder, 'templates and texts that can be shown'), details };
  }
}
