/** One agent from nothing to its tool, and once more with a refreshed token. */
import { spawn } from 'node:child_process';
import { freePort } from '../support/free-port.ts';
import type { Sdk } from './scenarios.ts';
import { ada, type World } from './world.ts';

/** Returns what is wrong, or undefined. */
export async function runAgent(
  { command: [program, ...args], language }: Sdk,
  world: World,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const given = { SERVER: world.mcp, ISSUER: world.issuer, PORT: String(await freePort()), ...env };
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...given },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let rest = '';
  let errors = '';
  let failed: unknown;
  const visits: Promise<void>[] = [];
  const visit = (address: string) =>
    world.authorize(address).catch((error: unknown) => {
      failed = error;
      child.kill('SIGKILL');
    });
  child.stdout.on('data', (chunk: Buffer) => {
    const [last = '', ...whole] = (rest + chunk.toString()).split('\n').reverse();
    rest = last;
    for (const line of whole.reverse()) {
      lines.push(line);
      if (line.startsWith('AUTHORIZE ')) visits.push(visit(line.slice('AUTHORIZE '.length)));
    }
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-3000);
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), 120_000);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(limit);
  await Promise.all(visits);
  const said = `${lines.join(' | ')} ${errors}`;
  if (failed !== undefined) return `${failed} ${said}`;
  if (code !== 0) return `it ended with ${code}: ${said}`;
  const client = env.METADATA_URL;
  if (
    client !== undefined &&
    lines.some((line) => line.startsWith('RESULT ') && !line.includes(JSON.stringify(client)))
  )
    return `the client is another: ${said}`;
  const results = lines.filter((line) => line.startsWith('RESULT ')).map((line) => JSON.parse(line.slice(7)) as Who);
  const wrong = results.find(
    ({ username, scope, token }) => username !== ada.username || !/notes:read/.test(scope) || token,
  );
  if (wrong) return `the gateway says ${JSON.stringify(wrong)}`;
  const registered = lines.some((line) => line.startsWith('CLIENT '));
  if (Object.keys(env).length === 0 && !registered) return `it did not register: ${said}`;
  if (visits.length !== 1 || results.length !== 2)
    return `${visits.length} authorizations, ${results.length} results (${language}): ${said}`;
  return undefined;
}

interface Who {
  readonly username: string;
  readonly scope: string;
  /** Whether the MCP server has seen a token. */
  readonly token: boolean;
}
