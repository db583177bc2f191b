/**
 * Where the template of each view is: `<area>/<page>.ejs`. A deployment's own folder may have it there, or directly in
 * the folder. Other folders of a deployment's (of a mounted volume, of parts that its templates include) are not looked
 * at.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

interface ViewFiles {
  /** The deployment's own where it has one. */
  fileOf(view: string): string;
  /** The views, and perhaps the layout, that are a deployment's own. */
  readonly overridden: readonly string[];
}

/** Throws, naming the file, where a file of a deployment's is no view's, or two are one view's. */
export function findViews(viewsDir: string, overrideDir?: string): ViewFiles {
  const builtIn = new Map(templatesIn(viewsDir, readdirSync(viewsDir)).map((file) => [nameOf(file), file]));
  const own = new Map<string, string>();
  const areas = ['.', ...new Set([...builtIn.values()].map(dirname))];
  for (const file of overrideDir === undefined ? [] : templatesIn(overrideDir, areas)) {
    const name = nameOf(file);
    const path = join(overrideDir ?? '', file);
    const place = builtIn.get(name);
    if (place === undefined || (dirname(file) !== '.' && file !== place))
      throw new Error(`${path} takes the place of no page. There are: ${[...builtIn.keys()].sort().join(', ')}.`);
    const other = own.get(name);
    if (other !== undefined) throw new Error(`${other} and ${path} are both the view ${name}: keep one of them.`);
    own.set(name, path);
  }
  return {
    fileOf: (view) => own.get(view) ?? join(viewsDir, builtIn.get(view) ?? `${view}.ejs`),
    overridden: [...own.keys()].sort(),
  };
}

const nameOf = (file: string): string => basename(file, '.ejs');

function templatesIn(root: string, folders: readonly string[]): string[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
    .filter((file) => file.endsWith('.ejs'));
}
