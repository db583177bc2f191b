// Checks that each API surface can be deleted: its folder, its line in surfaces.ts, its test and its page.
//
//   node scripts/without-surface.mjs               each surface in turn
//   node scripts/without-surface.mjs identity      only this surface
//
// Each run uses a copy of the project. Types, style, import rules and generated documents must still pass, the server
// must answer at the addresses of the other surfaces and 404 at the deleted ones, and the golden suite of another
// surface (each in turn) must pass. Takes about a minute.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { askServer, checksOf, deleteEach, removeLine, removePaths, root } from './without.mjs';

const list = 'src/api/surfaces.ts';
const shared = ['kit', 'reference', 'registration'];
/** Addresses that answer 404 unless something is configured behind them. */
const unconfigured = ['/.well-known/oauth-protected-resource/{path}'];
const names = readdirSync(join(root, 'src/api'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !shared.includes(entry.name))
  .map(({ name }) => name);

const { paths, tags } = await askServer(root, async (url) => (await fetch(`${url}/openapi.json`)).json());

await deleteEach('surface', names, async (copy, name) => {
  removePaths(copy, [`src/api/${name}`, `test/api/${name}.test.ts`, `docs/surfaces/${name}.md`]);
  removeLine(copy, list, name, (opener) => new RegExp(`^  \\S+: ${opener},\\n`, 'm'));
  const next = names[(names.indexOf(name) + 1) % names.length];
  const checks = await checksOf(copy, list, `test/api/${next}.test.ts`);
  return [...checks, ...(await askServer(copy, (url) => addresses(url, name)))];
});

/** Sends an empty request to every operation of the project's OpenAPI document, and checks which ones are found. */
async function addresses(url, removed) {
  const failures = [];
  const titleOf = tags.find(({ externalDocs }) => externalDocs.url.endsWith(`/${removed}`))?.name;
  let gone = 0;
  for (const [path, row] of Object.entries(paths)) {
    if (unconfigured.includes(path)) continue;
    for (const [method, { tags: of }] of Object.entries(row)) {
      const body = method === 'get' ? {} : { body: '{}', headers: { 'content-type': 'application/json' } };
      const { status } = await fetch(url + path.replaceAll(/\{\w+\}/g, 'x'), {
        method: method.toUpperCase(),
        redirect: 'manual',
        ...body,
      });
      const wasRemoved = of.includes(titleOf);
      if (wasRemoved) gone += 1;
      if (wasRemoved !== (status === 404) || status >= 500)
        failures.push(`${method.toUpperCase()} ${path} answers ${status}`);
    }
  }
  if (gone === 0) failures.push(`the document names nothing of ${removed}`);
  return failures;
}
