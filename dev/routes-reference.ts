/** Writes docs/routes.md from the route table of a server with every surface. `--check` fails if the file differs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config/load.ts';
import type { Route } from '../src/http/routes.ts';
import { openCore } from '../src/open-core.ts';

const path = join(import.meta.dirname, '../docs/routes.md');

const introduction = `# Routes

<!-- Generated from the route table (src/http/routes.ts) by \`npm run check:fix\`. -->

Every address of this server. A parameter is written \`:name\`; every other spelling of an address is 404. An address answers 405 with
\`Allow\` to a method that is not listed. The routes of an API are served while \`SURFACES\` names it. The
[gateway](surfaces/gateway.md) also answers the prefixes of its own route table, which cannot cover an address of this list.

| who may call | what a request needs |
|---|---|
| \`public\` | nothing |
| \`link\` | the secret of a link that was mailed or handed over |
| \`interaction\` | the cookie of a sign-in that this browser started |
| \`session\` | the session of a signed-in browser |
| \`developer\` | a direct request from this machine, in development |
| \`operator\` | \`METRICS_TOKEN\` or an admin key |

All other names in that column are security schemes of the OpenAPI document (\`/openapi\`); one of them is enough.`;

/** Sorted by path. Starts a server with a temporary data folder, and stops it. */
export async function wholeTable(): Promise<readonly Route[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-routes-'));
  try {
    const loaded = loadConfig({ DATA_DIR: dataDir, ADMIN_KEY: 'the-admin-key-of-a-reference' });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
    const core = await openCore(loaded.config, { logTo: { write: () => {} } });
    const { routes, close } = await createApp(core);
    await close(0);
    return routes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export function routesReference(routes: readonly Route[]): string {
  const rows = routes.map(({ path, methods, access, entry, when }) => {
    const who = access.split(', ').map((name) => `\`${name}\``);
    return `| \`${path}\` | ${methods.join(', ') || 'any'} | ${who.join(', ')} | ${entry} | ${when?.says ?? ''} |`;
  });
  const heading = ['| path | methods | who may call | entry point | only |', '|---|---|---|---|---|'];
  return `${introduction}\n\n${[...heading, ...rows].join('\n')}\n`;
}

if (import.meta.main) {
  const text = routesReference(await wholeTable());
  if (!process.argv.includes('--check')) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write('docs/routes.md does not match the route table. Run: npm run check:fix\n');
    process.exitCode = 1;
  }
}
