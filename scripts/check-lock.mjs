// Checks the lock files: every entry must have a hash, with which npm verifies the package. No entry may name a host:
// `npm ci` uses the registry of the machine it runs on.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const files = ['package-lock.json', 'test/clients/package-lock.json', 'test/mcp/package-lock.json'];

if (import.meta.main) {
  const mistakes = files.flatMap((file) =>
    lockMistakes(JSON.parse(readFileSync(join(root, file), 'utf8'))).map((mistake) => `${file}: ${mistake}`),
  );
  for (const mistake of mistakes) console.error(mistake);
  process.exitCode = mistakes.length === 0 ? 0 : 1;
}

export function lockMistakes({ packages }) {
  return Object.entries(packages)
    .filter(([name]) => name !== '')
    .flatMap(([name, { integrity, resolved }]) => [
      ...(/^sha512-[\w+/]{86}==$/.test(integrity)
        ? []
        : [`${name} has no SHA-512 hash. Delete the entry, then run: npm install --package-lock-only`]),
      ...(resolved === undefined ? [] : [`${name} names a host. Delete its line "resolved".`]),
    ]);
}
