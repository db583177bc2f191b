/** Writes docs/settings.md from the schema. `--check` writes nothing and fails if the file differs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { groups } from './schema.ts';
import type { Setting } from './setting.ts';

const path = join(import.meta.dirname, '../../docs/settings.md');

export function reference(): string {
  const sections = groups.map(({ title, settings }) =>
    [`## ${title}`, ...Object.entries(settings).map(([name, setting]) => entry(name, setting))].join('\n\n'),
  );
  return `${[introduction, ...sections].join('\n\n')}\n`;
}

const introduction = `# Settings

<!-- Generated from src/config/schema.ts by \`npm run check:fix\`. -->

Settings are environment variables. None is needed to try the server. An empty value counts as unset. All mistakes are
reported at once, before the server starts. A secret may also be in a file: \`SECRET_KEY_FILE=/run/secrets/key\` in place of
\`SECRET_KEY=…\`.`;

function entry(name: string, { sentence, kind, otherwise, example, secret }: Setting<unknown>): string {
  return [
    `### \`${name}\``,
    '',
    sentence,
    '',
    `- Value: ${kind.wanted}${secret ? ` (secret; also \`${name}_FILE\`)` : ''}`,
    `- Default: ${otherwise}`,
    `- Example: ${example.includes('`') ? example : `\`${name}=${example}\``}`,
  ].join('\n');
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(path, reference());
  else if (readFileSync(path, 'utf8') !== reference()) {
    console.error('docs/settings.md does not match src/config/schema.ts. Run: npm run check:fix');
    process.exitCode = 1;
  }
}
