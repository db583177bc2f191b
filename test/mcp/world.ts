/** A server with an MCP server behind its gateway, a person, and a browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { type CommandLine, commandLine } from '../cli/command-line.ts';
import { launchChromium } from '../support/chromium.ts';
import { freePort } from '../support/free-port.ts';
import { startOutside } from '../support/outside.ts';
import { startServer } from '../support/server.ts';
import { folder } from './install.ts';

export const ada = { username: 'ada', password: 'seven lemons under glass' };

/** Where an agent's metadata document is, for a server that reads documents. */
const metadataUrl = 'https://agent.example/client.json';

export interface World {
  readonly issuer: string;
  /** The address of the MCP server, which is the identifier of its API. */
  readonly mcp: string;
  readonly metadataUrl: string;
  readonly cli: CommandLine;
  /** Answers the pages of an authorization until the browser is back at the agent. */
  authorize(address: string): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const files = mkdtempSync(join(tmpdir(), 'gatehouse-mcp-'));
  const routes = join(files, 'routes.json');
  const upstream = await startMcpServer();
  const port = await freePort();
  const mcp = `http://localhost:${port}/notes/mcp`;
  writeFileSync(
    routes,
    JSON.stringify([{ prefix: '/notes/mcp', tokens: ['oauth'], audience: mcp, upstream: upstream.url }]),
  );
  const outside = await startOutside();
  const document = {
    client_id: metadataUrl,
    client_name: 'Agent',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  outside.serve(new URL(metadataUrl).host, (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
  });
  const env = { GATEWAY_ROUTES: routes, MCP: 'true' };
  const server = await startServer({ port, env, network: outside.network });
  const cli = commandLine(server.env);
  const person = ['accounts', 'create', ada.username, '--email', 'ada@example.com', '--verified', '--password-stdin'];
  const made = await cli.fed(ada.password, ...person);
  if (made.code !== 0) throw new Error(made.err);
  const scopes = ['--scope', 'notes:read=Read your notes.', '--scope', 'notes:write=Change your notes.'];
  await cli.json('apis', 'add', mcp, '--mcp-server', '--name', 'Notes', ...scopes, '--default', 'notes:read');
  const browser = await launchChromium();
  return {
    issuer: server.url,
    mcp,
    metadataUrl,
    cli,
    authorize: (address) => authorize(browser, address),
    async close() {
      await browser.close();
      await server.close();
      await outside.close();
      upstream.child.kill('SIGKILL');
      rmSync(files, { recursive: true, force: true });
    },
  };
}

async function startMcpServer(): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [join(folder, 'programs/server.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    let printed = '';
    child.once('exit', () => reject(new Error(`the MCP server ended: ${printed}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const [, listens] = /^LISTENS (\S+)\n/.exec(printed) ?? [];
      if (listens !== undefined) resolve(listens);
    });
  });
  return { url, child };
}

async function authorize(browser: Browser, address: string): Promise<void> {
  const context = await browser.newContext();
  context.setDefaultTimeout(30_000);
  try {
    const page = await context.newPage();
    await page.goto(address);
    await page.getByLabel('Username or e-mail').fill(ada.username);
    await page.getByLabel('Password', { exact: true }).fill(ada.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await isBack(page);
  } finally {
    await context.close();
  }
}

async function isBack(page: Page): Promise<void> {
  await page.waitForURL(/^http:\/\/(127\.0\.0\.1|localhost):\d+\/callback\?/);
  await page.waitForLoadState();
}
