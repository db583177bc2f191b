/** The image's CMD, as `docker run -e ISSUER=… -e PORT=…` would start it. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../support/free-port.ts';
import type { Image } from './build.ts';
import type { Machine } from './machine.ts';
import type { Built } from './stages.ts';

export const issuer = 'https://id.example.com';

export interface Running {
  readonly url: string;
  readonly pid: number;
  readonly env: Readonly<Record<string, string>>;
  printed(): string;
  /** On standard error alone. */
  complaints(): string;
  /** SIGTERM, and how it ended. Kills what is still there after 20 seconds. */
  stop(): Promise<number | NodeJS.Signals | null>;
}

const live = new Set<ChildProcess>();

/** For a run that is told to stop: nothing that it started stays. */
export function endAll(): void {
  for (const child of live) child.kill('SIGKILL');
}

/** Rejects with what it printed where it ends, or does not answer at /healthz with 200 within 30 seconds. */
export async function run(
  machine: Machine,
  root: string,
  image: Image,
  extra: Record<string, string> = {},
): Promise<Running> {
  const port = await freePort();
  const env = { ...image.env, ISSUER: issuer, PORT: String(port), ...extra };
  const child = machine.start(root, { words: image.command, env, workdir: image.workdir, user: image.user });
  live.add(child);
  child.once('close', () => live.delete(child));
  const { printed, complaints, ended } = listenTo(child);
  const url = `http://127.0.0.1:${port}`;
  const until = performance.now() + 30_000;
  while ((await statusOf(`${url}/healthz`)) !== 200) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > until) {
      child.kill('SIGKILL');
      await ended;
      throw new Error(`/healthz did not answer with 200:\n${printed()}`);
    }
    await sleep(50);
  }
  return {
    url,
    pid: child.pid ?? 0,
    env,
    printed,
    complaints,
    async stop() {
      child.kill('SIGTERM');
      const last = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const how = await ended;
      clearTimeout(last);
      return how;
    },
  };
}

/** What goes wrong when it is run and asked; undefined where nothing does. */
export async function problemOfRunning(machine: Machine, { root, image }: Built): Promise<string | undefined> {
  let server: Running;
  try {
    server = await run(machine, root, image);
  } catch (error) {
    return String(error);
  }
  const answers = await Promise.all(
    ['/', '/.well-known/openid-configuration', '/readyz'].map((path) => statusOf(server.url + path)),
  );
  await server.stop();
  return answers.every((status) => status === 200) && server.complaints() === ''
    ? undefined
    : `${answers} ${server.complaints()}`;
}

function listenTo(child: ChildProcess) {
  let all = '';
  let errors = '';
  child.stdout?.on('data', (chunk) => {
    all += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    all += chunk;
    errors += chunk;
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
  return { printed: () => all.slice(-8000), complaints: () => errors, ended };
}

export function statusOf(url: string): Promise<number> {
  return fetch(url, {
    headers: { accept: 'text/html', connection: 'close' },
    redirect: 'manual',
    signal: AbortSignal.timeout(5000),
  }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    },
    () => 0,
  );
}
