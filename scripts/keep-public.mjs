// Writes generated files under public/. With --check it writes nothing and fails if a file is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `files`: their texts, by name. */
export function keepPublic(files) {
  for (const [name, text] of Object.entries(files)) {
    const path = join(import.meta.dirname, '../public', name);
    if (!process.argv.includes('--check')) writeFileSync(path, text);
    else if (readFileSync(path, 'utf8') !== text) {
      process.stderr.write(`public/${name} does not match its source. Run: npm run check:fix\n`);
      process.exitCode = 1;
    }
  }
}

/** `notice`: whose drawings these are. */
export const spriteOf = (notice, symbols) => `<!-- ${notice} -->
<svg xmlns="http://www.w3.org/2000/svg">
${symbols.join('\n')}
</svg>
`;
