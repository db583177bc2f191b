/**
 * Finds the template of each view: `<area>/<page>.ejs`. A deployment's own folder may hold it at that path or at the
 * top. Parts of pages are in `kit/parts`; a deployment's own has the same path. Other folders there are ignored.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

interface ViewFiles {
  /** The deployment's own file if there is one. */
  fileOf(view: string): string;
  /** The views (and the layout, if any) that the deployment replaces. */
  readonly overridden: readonly string[];
}

/** Throws an error that names the file if a file replaces no view, or if two files replace the same view. */
export function findViews(viewsDir: string, overrideDir?: string): ViewFiles {
  const builtIn = new Map(
    templatesIn(viewsDir, [...readdirSync(viewsDir), partsFolder]).map((file) => [nameOf(file), file]),
  );
  const own = new Map<string, string>();
  const areas = ['.', ...new Set([...builtIn.values()].map(dirname))];
  for (const file of overrideDir === undefined ? [] : templatesIn(overrideDir, areas)) {
    const name = nameOf(file);
    const path = join(overrideDir ?? '', file);
    const place = builtIn.get(name);
    if (place === undefined || (dirname(file) !== '.' && file !== place))
      throw new Error(`${path} replaces no view. Known views: ${[...builtIn.keys()].sort().join(', ')}.`);
    const other = own.get(name);
    if (other !== undefined) throw new Error(`${other} and ${path} both replace the view ${name}. Keep one of them.`);
    own.set(name, path);
  }
  return {
    fileOf: (view) => own.get(view) ?? join(viewsDir, builtIn.get(view) ?? `${view}.ejs`),
    overridden: [...own.keys()].sort(),
  };
}

const partsFolder = join('kit', 'parts');

/** `kit/parts/note.ejs` is the part `parts/note`, beside the view `notice`. */
const nameOf = (file: string): string => `${dirname(file) === partsFolder ? 'parts/' : ''}${basename(file, '.ejs')}`;

function templatesIn(root: string, folders: readonly string[]): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.ejs'));
}
