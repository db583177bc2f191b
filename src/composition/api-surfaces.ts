/** The API surfaces over a core: those that `SURFACES` names. */
import type { Clients } from '../core/clients.ts';
import { createOwnClients } from '../core/own-clients.ts';
import type { Surface } from '../http/surface.ts';
import type { Protocol } from '../oidc/provider.ts';
import type { Core } from '../open-core.ts';
import { surfaces } from '../surfaces/surfaces.ts';

export function composeSurfaces(core: Core, clients: Clients, protocol: Protocol): readonly Surface[] {
  const opened = surfaces.map((open) =>
    open({
      ...core,
      clients,
      ownClients: createOwnClients({ ...core, clients }),
      authorizer: protocol.authorizer,
      reloadClients: () => core.cached.reload(),
    }),
  );
  return chosen(opened, core.config.surfaces);
}

/** A name that none has would switch one off without a word: refused. */
function chosen(opened: readonly Surface[], wanted: 'all' | readonly string[]): readonly Surface[] {
  if (wanted === 'all') return opened;
  const unknown = wanted.find((name) => !opened.some((surface) => surface.name === name));
  if (unknown !== undefined) {
    const names = opened.map(({ name }) => name).join(', ');
    throw new Error(`SURFACES names ${unknown}, which there is not. There are: ${names} (or all, or none).`);
  }
  return opened.filter(({ name }) => wanted.includes(name));
}
