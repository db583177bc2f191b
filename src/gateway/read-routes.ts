/** Reads the file that GATEWAY_ROUTES names, as JSON or YAML. */
import { readFile } from 'node:fs/promises';
import { mistakesAsText } from '../base/mistakes.ts';
import type { RouteMistake } from './route-shape.ts';
import type { Route } from './routes.ts';

type ReadRoutes =
  | { readonly outcome: 'read'; readonly routes: readonly Route[] }
  /** `text`: all mistakes, for a terminal or the log. */
  | { readonly outcome: 'mistaken'; readonly text: string };

/** `own`: the own paths of this server (own-paths.ts); if empty, no prefix collides. */
export async function readRoutes(file: string, own: readonly string[] = []): Promise<ReadRoutes> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { outcome: 'mistaken', text: `${file} cannot be read (${(error as NodeJS.ErrnoException).code}).` };
  }
  const { parseDocument } = await import('yaml');
  // Every JSON text is YAML 1.2. Aliases are refused, because a few lines of them expand to gigabytes. Without custom
  // tags, the file holds only JSON values.
  const document = parseDocument(text, {
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: true,
    resolveKnownTags: false,
  });
  if (document.errors.length > 0) {
    return {
      outcome: 'mistaken',
      text: `${file} cannot be parsed: ${document.errors.map(({ message }) => message).join('\n')}`,
    };
  }
  let parsed: unknown;
  try {
    parsed = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    return { outcome: 'mistaken', text: `${file} cannot be parsed: ${(error as Error).message}` };
  }
  const { checkRoutes } = await import('./route-shape.ts');
  const { routes, mistakes } = checkRoutes(parsed, own);
  return mistakes.length === 0 ? { outcome: 'read', routes } : { outcome: 'mistaken', text: describe(file, mistakes) };
}

/** Returns all mistakes of the file as text, or undefined if there are none. */
export async function mistakesInRoutes(file: string): Promise<string | undefined> {
  const read = await readRoutes(file);
  return read.outcome === 'mistaken' ? read.text : undefined;
}

function describe(file: string, mistakes: readonly RouteMistake[]): string {
  const shown = mistakes.map(({ route, member, ...mistake }) => ({
    ...mistake,
    where: route === undefined ? member : `route ${route}, ${member}`,
  }));
  const end = ['Every member is described in docs/surfaces/gateway.md.'];
  return mistakesAsText(shown, { thing: 'thing', place: ` in ${file}`, end });
}
