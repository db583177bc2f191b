/** The providers that the settings name, ready and not yet spoken to. */
import type { UpstreamProvider } from '../../core/upstream/upstream-provider.ts';
import type { ReadOptions } from './provider-shape.ts';
import { readProviders } from './read-providers.ts';
import { createUpstreamProvider } from './upstream.ts';

/** `file`: undefined for none. Throws a plain error with every mistake, fit to be shown. */
export async function openProviders(
  file: string | undefined,
  options: ReadOptions,
): Promise<readonly UpstreamProvider[]> {
  if (file === undefined) return [];
  const read = await readProviders(file, options);
  if (read.outcome === 'mistaken') throw new Error(read.text);
  return read.providers.map(createUpstreamProvider);
}
