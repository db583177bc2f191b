/**
 * Reads deploy/compose.yaml as Compose does: variables filled in from `.env`, env_file beneath environment, mounted
 * files by name.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const composeFile = join(import.meta.dirname, '../../deploy/compose.yaml');

const port = z.string().regex(/^[\d.]+:\d+:\d+$/, 'ADDRESS:PORT:PORT');
const service = z.strictObject({
  image: z.string().optional(),
  build: z.string().optional(),
  user: z.string().optional(),
  restart: z.string(),
  read_only: z.boolean().optional(),
  security_opt: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  cap_add: z.array(z.string()).default([]),
  pids_limit: z.number(),
  mem_limit: z.string(),
  shm_size: z.string().optional(),
  stop_grace_period: z.string().optional(),
  logging: z.unknown(),
  command: z.array(z.string()).optional(),
  env_file: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  ports: z.array(port).default([]),
  networks: z.array(z.string()),
  healthcheck: z.strictObject({ test: z.array(z.string()), interval: z.string() }).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.string() })).default({}),
});

/** Strict: what is not named here would not be followed by `npm run topology`, and must not be in the file unseen. */
const file = z.strictObject({
  name: z.string(),
  'x-service': z.unknown(),
  'x-node': z.unknown(),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.strictObject({ internal: z.boolean().optional() }).nullable()),
  volumes: z.record(z.string(), z.null()),
  secrets: z.record(z.string(), z.strictObject({ file: z.string() })),
});

export type Compose = z.infer<typeof file>;
export type Service = z.infer<typeof service>;

export type Variables = Readonly<Record<string, string>>;

/** `NAME=value` lines. */
export function readEnvFile(path: string): Variables {
  const lines = readFileSync(path, 'utf8').split('\n');
  const pairs = lines.map((line) => /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()));
  return Object.fromEntries(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', pair[2] ?? '']] : [])));
}

/** Throws with the file's own words for a `${NAME:?words}` that is not set. */
export function readCompose(path: string, variables: Variables): Compose {
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolated(value, variables);
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, fill(part)]));
  };
  return file.parse(fill(parse(readFileSync(path, 'utf8'), { merge: true })));
}

function interpolated(text: string, variables: Variables): string {
  return text.replace(/\$(?:\$|\{(\w+)(?:(:?[-?])([^}]*))?\}|(\w+))/g, (whole, braced, kind, other, plain) => {
    if (whole === '$$') return '$';
    const name: string = braced ?? plain;
    const value = variables[name];
    if (value !== undefined && (value !== '' || !kind?.startsWith(':'))) return value;
    if (kind?.endsWith('?')) throw new Error(`${name}: ${other}`);
    return kind?.endsWith('-') ? other : '';
  });
}

/** What a service's process finds in its environment, beneath what the image brings. */
export function environmentOf(compose: Compose, name: string, envFile: Variables): Variables {
  const { env_file, environment } = serviceOf(compose, name);
  if (env_file.some((path) => path !== '.env'))
    throw new Error(`${name} reads ${env_file}, and only .env is known here`);
  return { ...(env_file.length > 0 ? envFile : {}), ...environment };
}

export function serviceOf(compose: Compose, name: string): Service {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`compose.yaml has no service ${name}`);
  return found;
}

/** The services that are built from the Dockerfile. */
export function nodesOf(compose: Compose): string[] {
  return Object.keys(compose.services).filter((name) => compose.services[name]?.build !== undefined);
}

/** `/run/secrets/NAME` -> the file on this side, below the folder of compose.yaml. */
export function secretFiles(compose: Compose, name: string): ReadonlyMap<string, string> {
  return new Map(
    serviceOf(compose, name).secrets.map((secret) => {
      const found = compose.secrets[secret];
      if (found === undefined) throw new Error(`${name} wants the secret ${secret}, which compose.yaml does not have`);
      return [`/run/secrets/${secret}`, found.file] as const;
    }),
  );
}

/** The file of this folder that a service finds at a path. */
export function mountedFile(compose: Compose, name: string, path: string): string {
  const rows = serviceOf(compose, name).volumes.map((volume) => volume.split(':'));
  const row = rows.find(([, target]) => target === path);
  if (row?.[0] === undefined) throw new Error(`${name} mounts nothing at ${path}`);
  if (row[2] !== 'ro') throw new Error(`${name} may write ${path}`);
  return join(dirname(composeFile), row[0]);
}
