/**
 * Each surface is thin: it owns its wire format and nothing else. What a second one needs too belongs in src/api/kit,
 * or in the core.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const folder = join(import.meta.dirname, '../../src/api');
/** Lines that say something, the OpenAPI descriptions among them: no blank ones, comments or imports. */
const most = 250;

function linesOf(surface: string): number {
  const files = readdirSync(join(folder, surface)).map((name) => readFileSync(join(folder, surface, name), 'utf8'));
  const code = files.join('\n').replaceAll(/^import [^;]*;$/gm, '');
  return code.split('\n').filter((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line)).length;
}

/** What the surfaces share, and the page that describes them. */
const shared = ['kit', 'reference'];
const surfaces = readdirSync(folder, { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && !shared.includes(entry.name),
);

for (const { name } of surfaces) {
  test(`${name} has at most ${most} lines`, () => {
    const lines = linesOf(name);
    expect(lines).toBeGreaterThan(50);
    expect(lines).toBeLessThanOrEqual(most);
  });
}
