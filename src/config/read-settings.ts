/** Reads the settings, and checks without a database what a start needs. Reports all mistakes at once. */
import { dataDirMistake } from './data-dir.ts';
import { type Environment, type Loaded, loadConfig } from './load.ts';
import { type Mistake, mistake } from './mistakes.ts';
import { surfacesMistake } from './surface-names.ts';

/** Returns the mistakes in the file or folder at `path`, as text for a terminal, or undefined. */
type Look = (
  path: string,
  about: { readonly development: boolean; readonly environment: Environment },
) => Promise<string | undefined>;

/** Checks by other parts of the server: the known surfaces, and the files that these parts open later. */
export interface SettingsChecks {
  readonly surfaces: readonly string[];
  readonly files: Readonly<Record<keyof typeof wanted, Look>>;
}

const wanted = {
  GATEWAY_ROUTES: 'a route table without mistakes',
  UPSTREAMS: 'a list of providers without mistakes',
  VIEWS_DIR: 'templates and texts that can be shown',
} as const;
const names = Object.keys(wanted) as (keyof typeof wanted)[];

export async function readSettings(environment: Environment, { surfaces, files }: SettingsChecks): Promise<Loaded> {
  const loaded = loadConfig(environment);
  const { values, warnings } = loaded;
  const named = environment.SURFACES?.trim() || undefined;
  const unknown = named === undefined ? undefined : surfacesMistake(named, surfaces);
  const about = { development: values.NODE_ENV !== 'production', environment };
  const inFiles = names.map(async (name): Promise<Mistake | undefined> => {
    const path = values[name];
    const details = path === undefined ? undefined : await files[name](path, about);
    return details === undefined ? undefined : { ...mistake(name, path, wanted[name]), details };
  });
  // Postgres does not use DATA_DIR. An invalid DATABASE_URL was meant for Postgres too.
  const embedded = values.DATABASE_URL === undefined && 'DATABASE_URL' in values;
  const folder = values.DATA_DIR !== undefined && embedded ? dataDirMistake(values.DATA_DIR) : undefined;
  const more = [unknown, folder, ...(await Promise.all(inFiles))].filter((one) => one !== undefined);
  if (more.length === 0) return loaded;
  // For an unknown name in SURFACES, the check that knows all names gives the better message.
  const before = loaded.ok ? [] : loaded.mistakes.filter(({ name }) => !unknown || name !== 'SURFACES');
  return { ok: false, mistakes: [...before, ...more], warnings, values };
}
