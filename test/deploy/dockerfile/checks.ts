/** What must hold of the image that the Dockerfile makes. */
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hold, type Report } from '../report.ts';
import { onlyForBuilding } from './context.ts';
import { idOf, type Machine, made } from './machine.ts';
import { issuer, type Running, run, statusOf } from './server.ts';
import { type Built, ended } from './stages.ts';

export async function checkImage(
  report: Report,
  machine: Machine,
  built: Built,
  context: { readonly folder: string; readonly files: readonly string[] },
): Promise<void> {
  const { image, root } = built;
  const { check } = report;
  const manifest = JSON.parse(readFileSync(join(context.folder, 'package.json'), 'utf8')) as Manifest;
  const lock = JSON.parse(readFileSync(join(context.folder, 'package-lock.json'), 'utf8')) as Lock;
  const within = (words: readonly string[], env: Readonly<Record<string, string>> = image.env) =>
    ended(machine.start(root, { words, env, workdir: image.workdir, user: image.user }));

  await check('it is set up for production, on all addresses, as an ordinary user', () => {
    hold(image.env.NODE_ENV === 'production', `NODE_ENV is ${image.env.NODE_ENV}`);
    hold(image.env.HOST === '0.0.0.0', `HOST is ${image.env.HOST}: in a container localhost is reached by no one else`);
    hold(image.ports.includes(image.env.PORT ?? ''), `EXPOSE names ${image.ports}, PORT is ${image.env.PORT}`);
    hold(!machine.hasUsers || idOf(root, image.user) > 0, `USER is ${image.user}`);
    hold(
      image.volumes.includes(image.env.DATA_DIR ?? ''),
      `VOLUME names ${image.volumes}, DATA_DIR is ${image.env.DATA_DIR}`,
    );
  });

  await check('it holds every file that .dockerignore lets in, but for what only the building needs', () => {
    const wanted = context.files.filter((file) => !onlyForBuilding.includes(file));
    const missing = wanted.filter((file) => !existsSync(join(root, image.workdir, file)));
    hold(missing.length === 0, `without ${missing.slice(0, 5)}`);
  });

  await check('it holds the packages that run, all of them and no other', () => {
    const installed = packagesIn(join(root, image.workdir, 'node_modules'));
    const missing = Object.keys(manifest.dependencies).filter((name) => !installed.includes(name));
    hold(missing.length === 0, `without ${missing}`);
    const unwanted = installed.filter((name) => lock.packages[`node_modules/${name}`]?.dev !== undefined);
    hold(unwanted.length === 0, `with ${unwanted}`);
    hold(!installed.some((name) => /^node-(linux|win)-/.test(name)), 'with another Node');
    return `${installed.length} packages`;
  });

  await check('it holds nothing of the development', () => {
    const names = readdirSync(join(root, image.workdir));
    const extra = names.filter(
      (name) => !['package.json', 'LICENSE', 'node_modules', 'src', 'db', 'views', 'public'].includes(name),
    );
    hold(extra.length === 0, `${extra} in ${image.workdir}`);
    hold(made(root).sort().join() === 'app,data', `${made(root)} at the root`);
  });

  await check('the folder of the data belongs to that user alone', () => {
    for (const volume of image.volumes) {
      const { mode, uid } = statSync(join(root, volume));
      hold((mode & 0o777) === 0o700, `${volume} has the mode ${(mode & 0o777).toString(8)}`);
      hold(!machine.hasUsers || uid === idOf(root, image.user), `${volume} belongs to ${uid}`);
    }
  });

  if (machine.hasUsers) {
    await check('that user cannot write any file of the program', async () => {
      const find = ['find', image.workdir, '/usr/local', '-not', '-type', 'l', '-writable'];
      const { code, printed } = await within(find);
      hold(code === 0 && printed === '', printed);
      const { code: written } = await within(['/bin/sh', '-c', 'echo x >> src/main.ts || exit 3']);
      hold(written === 3, `a shell that writes to src/main.ts ends with ${written}`);
    });
  } else console.log('      here there is one user: who may write what is looked at by root only');

  let server: Running | undefined;
  await check('CMD starts, and /healthz answers with 200', async () => {
    server = await run(machine, root, image);
    if (machine.hasUsers) {
      const uid = /^Uid:\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'));
      hold(uid?.[1] === String(idOf(root, image.user)) && uid[1] === uid[2], `it runs as ${uid?.[1]}`);
    }
  });
  if (server === undefined) return;
  const { url, env, stop, complaints } = server;

  await check('its HEALTHCHECK says the same', async () => {
    hold(image.healthcheck !== undefined, 'there is none');
    const { code, printed } = await within(image.healthcheck, env);
    hold(code === 0, `it ends with ${code}: ${printed}`);
    const { code: wrong } = await within(image.healthcheck, { ...env, PORT: '1' });
    hold(wrong === 1, `where nothing listens it ends with ${wrong}`);
  });

  await check('pages, styles and documents are served', async () => {
    const discovery = (await (await fetch(`${url}/.well-known/openid-configuration`)).json()) as { issuer?: string };
    hold(discovery.issuer === issuer, `the issuer is ${discovery.issuer}`);
    const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
    const parts = [...page.matchAll(/(?:href|src)="(\/public\/[^"]+)"/g)].map(([, path]) => path ?? '');
    hold(parts.length > 0, `the page names no style: ${page.slice(0, 200)}`);
    const paths = [...parts, '/readyz', '/forgot', '/login', '/openapi.json', '/oauth/jwks'];
    const statuses = await Promise.all(paths.map(async (path) => ({ path, status: await statusOf(url + path) })));
    const wrong = statuses.filter(({ status, path }) => status >= 500 || (parts.includes(path) && status !== 200));
    hold(wrong.length === 0, JSON.stringify(wrong));
  });

  await check('the command line works beside it', async () => {
    const { code, printed } = await within(['node', 'src/cli/main.ts', 'keys', 'list', '--json'], env);
    hold(code === 0, `it ends with ${code}: ${printed}`);
  });

  await check('what it writes is in the folder of the data, readable by that user alone', () => {
    const folder = join(root, image.env.DATA_DIR ?? '');
    const names = readdirSync(folder);
    hold(names.includes('gatehouse.sqlite'), `${folder} holds ${names}`);
    return names.join(', ');
  });

  await check('SIGTERM ends it, with 0 and without a complaint', async () => {
    const how = await stop();
    hold(how === 0, `it ended with ${how}`);
    hold(complaints() === '', `on standard error:\n${complaints()}`);
  });

  await check('a second start finds the same data', async () => {
    const again = await run(machine, root, image);
    await sleep(0);
    const how = await again.stop();
    hold(how === 0, `it ended with ${how}`);
    hold(!/Admin key\s+admin_/.test(again.printed()), 'it makes another admin key');
  });
}

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

function packagesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    if (name.startsWith('.') || !lstatSync(join(folder, name)).isDirectory()) return [];
    return name.startsWith('@') ? packagesIn(join(folder, name)).map((inner) => `${name}/${inner}`) : [name];
  });
}
