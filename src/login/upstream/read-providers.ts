/** Reads the file that UPSTREAMS names, JSON or YAML, or says everything that is wrong with it. */
import { readFile } from 'node:fs/promises';
import type { ProviderMistake, ReadOptions } from './provider-shape.ts';
import type { UpstreamSettings } from './settings.ts';

export type ReadProviders =
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
  // As the gateway reads its routes: no aliases, no tags, so the file makes no other values than JSON's.
  const document = parseDocument(text, {
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: false,
    resolveKnownTags: false,
  });
  // Its words and its place, but not its line: that may be the one with a secret.
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
    : { outcome: 'mistaken', text: describeMistakes(file, mistakes) };
}

/** In the manner of config/mistakes: what was given, what is wanted, how it looks. */
function describeMistakes(file: string, mistakes: readonly ProviderMistake[]): string {
  const title =
    mistakes.length === 1
      ? `One thing in ${file} needs a change:`
      : `${mistakes.length} things in ${file} need a change:`;
  const blocks = mistakes.map(({ provider, member, given, wanted, example }) => {
    const where = provider === undefined ? member : `provider ${provider}, ${member}`;
    const lines = [`  ${where}`, `    given    ${given}`, `    wanted   ${wanted}`];
    return [...lines, ...(example === '' ? [] : [`    example  ${example}`])].join('\n');
  });
  return [title, ...blocks, 'Every member is described in docs/upstream.md.'].join('\n\n');
}
