/** docs/agents.md, pasted whole into bash in a clone: an MCP server behind the gateway, as an agent finds it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, codeOf, pkce } from '../support/agent.ts';
import { redeem } from '../support/flow.ts';
import { freePort } from '../support/free-port.ts';
import { programsAreThere } from '../support/programs.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/agents.md'), 'utf8');
const blocks = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
const canRun = programsAreThere(['bash', 'curl']);

let clone: string;
let script: ChildProcess | undefined;
beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), 'gatehouse-'));
  const here = ['.git', 'data', 'coverage', 'gatehouse.log', 'mcp.log', 'routes.json'];
  for (const name of readdirSync(root)) if (!here.includes(name)) symlinkSync(join(root, name), join(clone, name));
});
afterAll(() => {
  // The servers that the page starts are in the script's process group.
  if (script?.pid) process.kill(-script.pid, 'SIGKILL');
  rmSync(clone, { recursive: true, force: true });
});

/** The script stays, so that its servers do, until the test has ended. */
function paste(url: string, ports: readonly [string, string]) {
  const [port, upstream] = ports;
  const text = ['set -euo pipefail', ...blocks, 'echo "THE END"', 'sleep 600']
    .join('\n')
    .replace(/^npm ci\n/m, '')
    .replaceAll('http://localhost:3000', url)
    .replaceAll('8081', upstream);
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn('bash', ['--norc', '-c', text], {
    cwd: clone,
    detached: true,
    env: { PATH, HOME, ISSUER: url, PORT: port, PASSWORD_HASH_MEMORY: '8192' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  script = child;
  let [out, err] = ['', ''];
  child.stderr.on('data', (more: Buffer) => {
    err += more.toString();
  });
  return new Promise<string>((resolve, reject) => {
    child.once('close', (code) => reject(new Error(`it ended with ${code}: ${out} ${err}`)));
    child.stdout.on('data', (more: Buffer) => {
      out += more.toString();
      if (out.includes('THE END')) resolve(out);
    });
  });
}

(canRun ? test : test.skip)(
  'its commands put an MCP server behind the gateway, and an agent gets to its tool',
  async () => {
    const [port, upstream] = [String(await freePort()), String(await freePort())];
    const url = `http://localhost:${port}`;
    const out = await paste(url, [port, upstream]);
    const metadata = `${url}/.well-known/oauth-protected-resource/notes`;
    expect(out).toContain(`401 Bearer realm="gatehouse", scope="notes:read", resource_metadata="${metadata}"`);
    expect(out).toContain(`"resource":"${url}/notes"`);
    expect(out).toContain(`a gateway route has prefix: /notes`);

    const [, id = ''] = /Client ID +(\S+)/i.exec(out) ?? [];
    const { verifier, challenge } = pkce();
    const redirect_uri = 'http://127.0.0.1:4711/callback';
    const query = new URLSearchParams({
      ...{ response_type: 'code', client_id: id, redirect_uri, resource: `${url}/notes` },
      ...{ code_challenge: challenge, code_challenge_method: 'S256' },
    });
    const agent = new Agent({ url });
    const signIn = await agent.go(`/oauth/authorize?${query}`);
    const consent = await agent.submit(signIn, { username: 'ada', password: 'seven lemons under glass' });
    const grant = { code: codeOf(await agent.submit(consent, { answer: 'allow' })), code_verifier: verifier };
    const { body } = await redeem({ url }, { id }, grant, { redirect_uri });
    const asked = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami' } };
    const answer = await fetch(`${url}/notes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${body.access_token}`, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    });
    expect(await answer.json()).toMatchObject({ result: { content: [{ text: 'ada, with notes:read' }] } });
  },
);
