/** The command `authorization` of the MCP conformance suite, its printed address answered in a browser. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/free-port.ts';
import { folder } from './install.ts';
import type { World } from './world.ts';

const program = join(folder, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');

/** Returns what is wrong, or undefined. `clientId`: public, with a redirect address on loopback. */
export async function runConformance(
  world: World,
  clientId: string,
  resource: string | undefined,
): Promise<string | undefined> {
  const results = mkdtempSync(join(tmpdir(), 'gatehouse-conformance-'));
  const port = String(await freePort());
  const named = resource === undefined ? [] : ['--resource', resource];
  const args = ['authorization', '--url', world.issuer, '--client-id', clientId, '--port', port, ...named];
  const child = spawn(process.execPath, [program, ...args, '--output-dir', results], { cwd: results });
  let printed = '';
  let failed: unknown;
  let answering: Promise<void> | undefined;
  const read = (chunk: Buffer) => {
    printed += chunk.toString();
    const [address] = /https?:\/\/\S+[?&]code_challenge=\S+/.exec(printed) ?? [];
    if (address === undefined || answering !== undefined) return;
    answering = world.authorize(address).catch((error: unknown) => {
      failed = error;
      child.kill('SIGKILL');
    });
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  await answering;
  rmSync(results, { recursive: true, force: true });
  if (failed !== undefined) return `${failed}`;
  if (code !== 0) return printed.slice(-2000);
  return answering !== undefined ? undefined : `it did not ask for an authorization: ${printed.slice(-2000)}`;
}
