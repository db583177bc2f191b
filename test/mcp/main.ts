/**
 * npm run mcp -- [--short] [--only "TypeScript SDK,conformance"]
 *
 * Tries MCP software against a real server with an MCP server behind its gateway, in a real browser: the conformance
 * command `authorization` with and without a resource, and the agents of the SDKs. `--short`: those in Node alone. What
 * they need is installed into ignored folders of test/mcp.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { runAgent } from './agents.ts';
import { runConformance } from './conformance.ts';
import { folder, installNode, installPython } from './install.ts';
import { sdks, ways } from './scenarios.ts';
import { openWorld } from './world.ts';

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, only: { type: 'string', default: '' } },
});
const names = ['conformance', ...sdks.map(({ name }) => name)];
const wanted = values.only === '' ? names : values.only.split(',');
const unknown = wanted.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`There is no ${unknown}. There are: ${names.join(', ')}.`);
  process.exit(2);
}

installNode();
const noPython = values.short ? '--short runs those in Node alone' : installPython();
execFileSync(process.execPath, ['../../node_modules/typescript/bin/tsc', '-p', '.'], { cwd: folder, stdio: 'inherit' });

const began = performance.now();
let worked = 0;
let failed = 0;
const world = await openWorld();
try {
  const register = ['clients', 'register', 'native', '--redirect-uri', 'http://127.0.0.1/callback', '--name'];
  if (wanted.includes('conformance')) {
    const { client_id: clientId } = await world.cli.json<{ client_id: string }>(...register, 'Conformance');
    for (const resource of [undefined, world.mcp]) {
      const name = `conformance, ${resource === undefined ? 'without' : 'with'} a resource`;
      report(name, await runConformance(world, clientId, resource));
    }
  }
  for (const sdk of sdks.filter(({ name }) => wanted.includes(name))) {
    for (const way of ways) {
      const name = `${sdk.name}, ${way.name}`;
      const missing = sdk.language === 'python' ? noPython : undefined;
      if (missing !== undefined) {
        console.log(`${name}: not run: ${missing}`);
        // In CI nothing is left out.
        if (process.env.CI === 'true' && !values.short) failed += 1;
        continue;
      }
      const { client_id: clientId } = await world.cli.json<{ client_id: string }>(...register, sdk.name);
      report(name, await runAgent(sdk, world, way.env({ clientId, metadataUrl: world.metadataUrl })));
    }
  }
} finally {
  await world.close();
}
console.log(`${worked} work, ${failed} do not, ${Math.round((performance.now() - began) / 1000)} s`);
process.exit(failed === 0 ? 0 : 1);

function report(name: string, problem: string | undefined): void {
  console.log(`${name}: ${problem === undefined ? 'works' : `failed: ${problem}`}`);
  if (problem === undefined) worked += 1;
  else failed += 1;
}
