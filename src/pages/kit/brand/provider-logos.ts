/** The marks of the sign-in providers: built-in ones from the sprite, and pictures of the deployment. */
import type { UpstreamProvider } from '../../../core/upstream/upstream-provider.ts';
import type { ServedFile } from '../static.ts';
import type { ProviderView } from '../view-parts.ts';
import { readPicture } from './brand.ts';

export interface ProviderLogos {
  /** How pages show the provider of this id. */
  view(id: string): ProviderView;
  /** The pictures, by request path. */
  readonly files: ReadonlyMap<string, ServedFile>;
}

/** Reads the pictures once. */
export function openProviderLogos(providers: readonly Pick<UpstreamProvider, 'id' | 'name' | 'logo'>[]): ProviderLogos {
  const files = new Map<string, ServedFile>();
  const views = new Map<string, ProviderView>();
  for (const { id, name, logo } of providers) {
    if (logo === undefined || 'mark' in logo) views.set(id, { name, ...logo });
    else {
      const { path, address, file } = readPicture(logo.picture, `provider-${id}`);
      files.set(path, file);
      views.set(id, { name, logo: address });
    }
  }
  return { files, view: (id) => views.get(id) ?? { name: id } };
}
