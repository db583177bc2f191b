/** The build context: what of a folder the builder is given, by the rules of its `.dockerignore`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether a path (with slashes, relative to the context) is left out. The last pattern that matches it or a parent
 * decides.
 */
export function ignores(source: string): (path: string) => boolean {
  const rules = source
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => line.trim())
    .map((line) => ({ keeps: line.startsWith('!'), pattern: patternOf(line.replace(/^!\s*/, '')) }));
  return (path) => {
    const parts = path.split('/');
    const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    let left = false;
    for (const { keeps, pattern } of rules) if (prefixes.some((prefix) => pattern.test(prefix))) left = !keeps;
    return left;
  };
}

/** Go's filepath.Match, and `**` for any number of folders. */
export function patternOf(glob: string): RegExp {
  const clean = glob
    .replace(/^\.?\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\/{2,}/g, '/');
  let made = '';
  for (let at = 0; at < clean.length; at += 1) {
    const rest = clean.slice(at);
    const [folders] = /^\*\*\/?/.exec(rest) ?? [];
    const [range] = /^\[(\^?)((?:\\.|[^\]\\])+)\]/.exec(rest) ?? [];
    if (folders !== undefined) {
      made += folders.endsWith('/') ? '(?:.*/)?' : '.*';
      at += folders.length - 1;
    } else if (rest.startsWith('*')) made += '[^/]*';
    else if (rest.startsWith('?')) made += '[^/]';
    else if (range !== undefined) {
      made += range;
      at += range.length - 1;
    } else if (rest.startsWith('\\') && rest.length > 1) {
      made += escaped(rest.charAt(1));
      at += 1;
    } else made += escaped(rest.charAt(0));
  }
  return new RegExp(`^${made}$`, 's');
}

const escaped = (letter: string): string => letter.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');

/**
 * Every file of the context, relative to it. Folders are looked into even where they are left out: a later line may
 * keep a part.
 */
export function contextFiles(folder: string): string[] {
  const left = ignores(readFileSync(join(folder, '.dockerignore'), 'utf8'));
  // Neither can be kept by a line of ours, and both are large.
  const never = new Set(['node_modules', '.git']);
  const filesIn = (under: string): string[] =>
    readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) => {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      if (entry.isDirectory()) return never.has(path) ? [] : filesIn(path);
      return left(path) ? [] : [path];
    });
  return filesIn('').sort();
}
