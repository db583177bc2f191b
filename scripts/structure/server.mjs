// Starts the server under Node's inspector, which counts calls from outside, so src needs no code for it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '../..');
const startSeconds = 60;

/** Production settings, a SQLite file of its own, and cheap password hashes for a short run. */
export async function startServer() {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatehouse-structure-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const service = createServer((_req, res) => res.end('ok'));
  const upstream = `http://127.0.0.1:${await listening(service)}`;
  const routes = join(dataDir, 'routes.json');
  writeFileSync(routes, JSON.stringify([{ prefix: '/reports', upstream, tokens: ['oauth'], audience: `${url}/user` }]));
  const adminKey = 'structure-admin-key-0123456789';
  const child = spawn(process.execPath, ['--inspect=127.0.0.1:0', 'src/main.ts'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_ENV: 'production',
      SURFACES: 'all',
      SIGN_UP: 'open',
      PORT: String(port),
      DATA_DIR: dataDir,
      ADMIN_KEY: adminKey,
      GATEWAY_ROUTES: routes,
      LOG_LEVEL: 'warn',
      PASSWORD_HASH_MEMORY: '8192',
      PASSWORD_HASH_TIME: '1',
      NODE_DISABLE_COMPILE_CACHE: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
  }
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const close = async () => {
    child.kill('SIGKILL');
    await ended;
    service.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const deadline = performance.now() + startSeconds * 1000;
    while (!(await isReady(url))) {
      if (child.exitCode !== null || performance.now() > deadline) throw new Error(`no server: ${printed}`);
      await sleep(50);
    }
    const inspector = /ws:\/\/\S+/.exec(printed)?.[0];
    if (inspector === undefined) throw new Error(`no inspector: ${printed}`);
    return { url, adminKey, coverage: await openCoverage(inspector), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Counts calls from now on. `take` resolves with the functions called since the last `take`, by file of src. */
async function openCoverage(address) {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error('the inspector does not answer'));
  });
  let sent = 0;
  const waiting = new Map();
  socket.onmessage = ({ data }) => {
    const { id, result } = JSON.parse(data);
    waiting.get(id)?.(result);
    waiting.delete(id);
  };
  const send = (method, params = {}) =>
    new Promise((resolve) => {
      sent += 1;
      waiting.set(sent, resolve);
      socket.send(JSON.stringify({ id: sent, method, params }));
    });
  await send('Profiler.enable');
  await send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  return {
    async take() {
      const { result } = await send('Profiler.takePreciseCoverage');
      const called = new Map();
      for (const { url, functions } of result) {
        const file = fileOf(url);
        // Offset 0 is the module itself, which runs when it is loaded.
        const starts = functions.flatMap(({ ranges: [{ count, startOffset }] }) =>
          count > 0 && startOffset > 0 ? [startOffset] : [],
        );
        if (file !== undefined && starts.length > 0) called.set(file, new Set(starts));
      }
      return called;
    },
    close: () => socket.close(),
  };
}

function fileOf(url) {
  if (!url.startsWith('file:')) return undefined;
  const path = fileURLToPath(url).replaceAll('\\', '/');
  const source = `${root.replaceAll('\\', '/')}/src/`;
  return path.startsWith(source) ? `src/${path.slice(source.length)}` : undefined;
}

async function isReady(url) {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function freePort() {
  const server = createServer();
  const port = await listening(server);
  server.close();
  return port;
}

function listening(server) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}
