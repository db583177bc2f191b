/** Opens the providers in the settings for sign-in. */
import type { ProviderSource } from '../../core/upstream/upstream-provider.ts';
import { readProviders } from './read-providers.ts';

export const upstream: ProviderSource = {
  async mistakesIn(file, options) {
    const read = await readProviders(file, options);
    return read.outcome === 'mistaken' ? read.text : undefined;
  },

  async open(file, options) {
    const read = await readProviders(file, options);
    if (read.outcome === 'mistaken') throw new Error(read.text);
    const { createUpstreamProvider } = await import('./upstream.ts');
    return read.providers.map(createUpstreamProvider);
  },
};
