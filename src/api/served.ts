/** The API surfaces that are served: those that `SURFACES` names, or what its absence means. */
import { createOwnClients } from '../core/clients/own-clients.ts';
import type { Surface, SurfaceDeps } from './kit/surface.ts';
import { surfaces } from './surfaces.ts';

interface Served {
  readonly served: readonly Surface[];
  /** The names of those that no setting asks for: the database shows that they are in use. */
  readonly inUse: readonly string[];
}

/** The one that production serves where nothing is set. */
const main = 'oauth-clients';

/** Asks the database once where production has no `SURFACES`. Throws `Unavailable`. */
export async function openSurfaces(deps: Omit<SurfaceDeps, 'ownClients'>): Promise<Served> {
  const { config, stores, log } = deps;
  const ownClients = createOwnClients(deps);
  const opened = Object.values(surfaces).map((open) => open({ ...deps, ownClients }));
  const wanted = config.surfaces;
  if (wanted === 'all') return { served: opened, inUse: [] };
  if (wanted !== 'unset') return { served: opened.filter(({ name }) => wanted.includes(name)), inUse: [] };
  const use = await stores.use.read();
  const found = opened.filter(({ name, inUse }) => name !== main && (use.doors.includes(name) || inUse?.(use)));
  const inUse = found.map(({ name }) => name);
  if (inUse.length > 0) log.warn({ surfaces: inUse }, 'surfaces are served only because they are in use');
  return { served: opened.filter((surface) => surface.name === main || found.includes(surface)), inUse };
}

/** What to tell those who run the server; undefined where there is nothing to tell. */
export function inUseNotice(inUse: readonly string[]): string | undefined {
  if (inUse.length === 0) return undefined;
  return [
    `SURFACES is not set. These are served only because the database shows that they are in use: ${inUse.join(', ')}.`,
    `Set SURFACES=${[main, ...inUse].join(',')} to keep them, or SURFACES=${main} to switch them off.`,
    'The next minor version serves them only if SURFACES names them.',
  ].join('\n');
}
