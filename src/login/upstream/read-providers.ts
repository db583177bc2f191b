/** Reads the file that UPSTREAMS names, JSON or YAML, or reports all its mistakes. */
import { readFile } from 'node:fs/promises';
import { mistakesAsText } from '../../base/mistakes.ts';
import type { ReadOptions } from '../../core/upstream/upstream-provider.ts';
import type { ProviderMistake } from './provider-shape.ts';
import type { UpstreamSettings } from './settings.ts';

type ReadProviders =
  | { readonly outcome: 'read'; readonly providers: readonly UpstreamSettings[] }
  /** `text`: all mistakes, for a terminal or a log. */
  | { readonly outcome: 'mistaken'; readonly text: string };

export async function readProviders(file: string, options: ReadOptions): Promise<ReadProviders> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { outcome: 'mistaken', text: `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).` };
  }
  const { parseDocument } = await import('yaml');
  // The same options as for gateway routes: no aliases and no tags, so that only JSON values are possible.
  const document = parseDocument(text, {
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: false,
    resolveKnownTags: false,
  });
  // The code and the line number, but not the line, which may contain a secret.
  const places = document.errors.map(({ code, pos: [at] }) => `line ${text.slice(0, at).split('\n').length}: ${code}`);
  if (places.length > 0) return { outcome: 'mistaken', text: `${file} cannot be parsed: ${places.join(', ')}` };
  let parsed: unknown;
  try {
    parsed = document.toJS({ maxAliasCount: 0 });
  } catch {
    return { outcome: 'mistaken', text: `${file} cannot be parsed: it holds an alias.` };
  }
  const { checkProviders } = await import('./provider-shape.ts');
  const { providers, mistakes } = checkProviders(parsed, options);
  return mistakes.length === 0
    ? { outcome: 'read', providers }
    : { outcome: 'mistaken', text: describe(file, mistakes) };
}

function describe(file: string, mistakes: readonly ProviderMistake[]): string {
  const shown = mistakes.map(({ provider, member, ...mistake }) => ({
    ...mistake,
    where: provider === undefined ? member : `provider ${provider}, ${member}`,
  }));
  const end = ['Every member is described in docs/upstream.md.'];
  return mistakesAsText(shown, { thing: 'thing', place: ` in ${file}`, end });
}
