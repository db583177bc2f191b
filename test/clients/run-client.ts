/** One client from a clean registration to its row: register it, start it, walk each step in a browser of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import type { Browser } from 'playwright-core';
import type { CommandLine } from '../cli/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { eventually } from '../support/redis-server.ts';
import { type Client, type Given, type Row, stepNames, type Visit } from './client.ts';
import { ada } from './person.ts';

export interface World {
  readonly issuer: string;
  readonly cli: CommandLine;
  readonly browser: Browser;
}

export async function runClient(client: Client, world: World): Promise<Row> {
  const given = await register(client, world);
  const { child, printed } = start(client, given);
  const context = await world.browser.newContext();
  context.setDefaultTimeout(15_000);
  try {
    await eventually(`${client.name} listens`, () => listens(given.url, child), 60_000);
    const visit = { ...given, page: await context.newPage(), person: ada };
    const cells = await walk(client, visit, printed);
    return { client: client.name, version: client.version, settings: client.settings, ...cells };
  } catch (error) {
    throw new Error(`${client.name} did not start: ${printed()}`, { cause: error });
  } finally {
    await context.close();
    await end(child);
  }
}

/** As a user does it, by the command line. */
async function register(client: Client, { issuer, cli }: World): Promise<Given> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const words = ['clients', 'register', client.kind, '--name', client.name];
  for (const path of client.redirectPaths) words.push('--redirect-uri', `${url}${path}`);
  for (const path of client.signedOutPaths) words.push('--post-logout-redirect-uri', `${url}${path}`);
  const { client_id, client_secret = '' } = await cli.json<{ client_id: string; client_secret?: string }>(...words);
  return { issuer, id: client_id, secret: client_secret, url, port };
}

/** The steps in their order. A step after a failed sign-in is not tried. */
async function walk(client: Client, visit: Visit, printed: () => string) {
  const cells = { login: '', refresh: '', userinfo: '', logout: '' };
  for (const name of stepNames) {
    const step = client.steps[name];
    if (typeof step !== 'function') cells[name] = step.limit;
    else if (name !== 'login' && cells.login !== 'yes') cells[name] = 'failed: no person is signed in';
    else {
      try {
        await step(visit);
        cells[name] = 'yes';
      } catch (error) {
        const at = await visit.page.title().catch(() => '');
        cells[name] =
          `failed: ${plain(String(error))}; the page is "${at}"; it printed: ${plain(printed().slice(-800))}`;
      }
    }
  }
  return cells;
}

/** On one line, without colours. */
const plain = (text: string) => stripVTControlCharacters(text).replaceAll(/\s+/g, ' ').trim();

function start(client: Client, given: Given): { child: ChildProcess; printed: () => string } {
  const { command, args, env } = client.program(given);
  // No setting of this machine's plays a part.
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(String(error))));
  return { child, printed: () => printed };
}

async function listens(url: string, child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
  try {
    await (await fetch(`${url}/up`, { redirect: 'manual' })).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
