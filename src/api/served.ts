/** Chooses the API surfaces to serve: those in `SURFACES`, or the default if it is not set. */
import { createOwnClients } from '../core/clients/own-clients.ts';
import type { Surface, SurfaceDeps } from './kit/surface.ts';
import { surfaces } from './surfaces.ts';

interface Served {
  readonly served: readonly Surface[];
  /** Surfaces that no setting names: the database shows that they are in use. */
  readonly inUse: readonly string[];
}

/** The only surface that production serves by default. */
const main = 'oauth-clients';

/** Without `SURFACES` in production, reads the database once. Throws `Unavailable`. */
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

/** A notice for operators. Returns undefined if there is nothing to report. */
export function inUseNotice(inUse: readonly string[]): string | undefined {
  if (inUse.length === 0) return undefined;
  return [
    `SURFACES is not set. These are served only because the database shows that they are in use: ${inUse.join(', ')}.`,
    `Set SURFACES=${[main, ...inUse].join(',')} to keep them, or SURFACES=${main} to switch them off.`,
    'The next minor version serves them only if SURFACES names them.',
  ].join('\n');
}
