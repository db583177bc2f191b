/**
 * Where a stage's commands run. For root: a chroot into the scratch root, with this machine's own /usr in place of the
 * base image's, read-only, and Node 24 in /usr/local/bin. Otherwise, or where that is not permitted: in the scratch
 * root with absolute paths mapped.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Command {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** As the Dockerfile says it. */
  readonly user: string;
}

export interface Machine {
  readonly name: string;
  /** Whether a command's user is another one than the owner of the files. */
  readonly hasUsers: boolean;
  /** Makes a scratch root what the base image would be. */
  prepare(root: string): void;
  /** Started at once; its process id is the command's own. */
  start(root: string, command: Command): ChildProcess;
}

/** Of whom a stage speaks as `node`: no real user of a usual machine. */
export const ordinaryUser = 64_200;

export function chooseMachine(wanted: 'chroot' | 'mapped' | undefined): Machine {
  if (wanted === 'mapped') return mappedMachine;
  if (process.getuid?.() === 0 && mayMount()) return chrootMachine;
  if (wanted === 'chroot') throw new Error('a chroot with mounts of its own is not permitted here');
  return mappedMachine;
}

function mayMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', '--propagation', 'private', 'mount', '--bind', '/usr', '/usr'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

const npmFolder = (): string =>
  dirname(dirname(realpathSync(execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim())));

/** What a command may know of the world outside: how npm gets to its registry. */
function outside(): Record<string, string> {
  const names = /^(npm_config_registry|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY)$/;
  const known = Object.entries(process.env).flatMap(([name, value]) =>
    value && names.test(name) ? [[name, value]] : [],
  );
  return { npm_config_prefer_offline: 'true', ...Object.fromEntries(known) };
}

/** Certificates of a proxy in between, one file for all who ask. */
const trusted = (): string | undefined =>
  [process.env.NODE_EXTRA_CA_CERTS, process.env.SSL_CERT_FILE].find((file) => file !== undefined && existsSync(file));

const systemFolders = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
const ownFolders = ['bin', 'sbin', 'lib', 'lib64', 'libexec', 'share'];

/**
 * Mounts vanish with the command, since they are in a namespace of its own. Every step is an `exec`, so that signals
 * reach it.
 */
const enter = `
set -e
root=$1 user=$2 workdir=$3 npm=$4 node=$5 home=$6; shift 6
readonly_at() { mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"; }
for one in ${ownFolders.join(' ')}; do [ ! -d "/usr/$one" ] || readonly_at "/usr/$one" "/usr/$one"; done
for one in ${systemFolders.join(' ')}; do [ -L "/$one" ] || [ ! -d "/$one" ] || readonly_at "/$one" "/$one"; done
readonly_at "$npm" /usr/local/lib/node_modules/npm
readonly_at "$node" /usr/local/bin/node
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
if [ "$user" = 0 ]; then
  mkdir -p "$home/.npm" && mount --bind "$home/.npm" "$root/root/.npm"
  [ ! -f "$home/.npmrc" ] || readonly_at "$home/.npmrc" /root/.npmrc
fi
exec chroot --userspec="$user:$user" --groups= "$root" /usr/bin/env -i --chdir="$workdir" "$@"
`;

const chrootMachine: Machine = {
  name: 'chroot',
  hasUsers: true,
  prepare(root) {
    for (const name of [
      'usr/local/bin',
      'usr/local/lib/node_modules/npm',
      'etc',
      'proc',
      'dev',
      'root/.npm',
      'run',
      'var',
    ])
      mkdirSync(join(root, name), { recursive: true });
    for (const name of ownFolders) mkdirSync(join(root, 'usr', name), { recursive: true });
    for (const name of systemFolders) {
      const here = `/${name}`;
      if (!existsSync(here)) continue;
      if (lstatSync(here).isSymbolicLink()) symlinkSync(readlinkSync(here), join(root, name));
      else mkdirSync(join(root, name));
    }
    for (const name of ['tmp', 'var/tmp']) mkdirSync(join(root, name), { mode: 0o777 });
    execFileSync('chmod', ['1777', join(root, 'tmp'), join(root, 'var/tmp')]);
    execFileSync('install', ['-d', '-o', String(ordinaryUser), '-g', String(ordinaryUser), join(root, 'home/node')]);
    for (const name of [
      'alternatives',
      'ld.so.cache',
      'resolv.conf',
      'hosts',
      'nsswitch.conf',
      'ssl/certs/ca-certificates.crt',
    ])
      if (existsSync(`/etc/${name}`)) {
        mkdirSync(dirname(join(root, 'etc', name)), { recursive: true });
        // Links to programs stay links; a file that is a link to elsewhere becomes a file.
        execFileSync('cp', [name === 'alternatives' ? '-a' : '-aL', `/etc/${name}`, join(root, 'etc', name)]);
      }
    const people = ['root:x:0:0::/root:/bin/sh', `node:x:${ordinaryUser}:${ordinaryUser}::/home/node:/bin/sh`];
    writeFileSync(join(root, 'etc/passwd'), `${people.join('\n')}\n`);
    writeFileSync(join(root, 'etc/group'), `root:x:0:\nnode:x:${ordinaryUser}:\n`);
    writeFileSync(join(root, 'root/.npmrc'), '');
    writeFileSync(join(root, 'usr/local/bin/node'), '');
    symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
    const certificates = trusted();
    if (certificates !== undefined) cpSync(certificates, join(root, 'etc/ssl/proxy.pem'), { dereference: true });
  },
  start(root, { words, env, workdir, user }) {
    const id = idOf(root, user);
    const home = id === 0 ? '/root' : '/home/node';
    const certificates = existsSync(join(root, 'etc/ssl/proxy.pem'))
      ? { NODE_EXTRA_CA_CERTS: '/etc/ssl/proxy.pem' }
      : {};
    // Only what is built may reach the world through this machine's settings; what runs has the image's environment
    // alone.
    const whole = { HOME: home, ...env, ...(id === 0 ? { ...outside(), ...certificates } : {}) };
    const variables = Object.entries(whole).map(([name, value]) => `${name}=${value}`);
    const places = [root, String(id), workdir, npmFolder(), process.execPath, homedir()];
    return spawn(
      'unshare',
      ['--mount', '--propagation', 'private', 'bash', '-c', enter, 'enter', ...places, ...variables, ...words],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
  },
};

/** By the stage's own passwd, as a builder would look it up. A number is taken as it is. */
export function idOf(root: string, user: string): number {
  const [name = ''] = user.split(':');
  if (/^\d+$/.test(name)) return Number(name);
  const row = readFileSync(join(root, 'etc/passwd'), 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([known]) => known === name);
  if (row === undefined) throw new Error(`the base image has no user ${name}`);
  return Number(row[2]);
}

/** Folders of the system stay what they are; every other absolute path is one of the image's. */
export function mapPaths(root: string, text: string): string {
  const shared = new Set(['usr', 'bin', 'sbin', 'lib', 'lib64', 'dev', 'proc', 'etc', 'tmp']);
  return text.replace(/(^|[\s=:;'"(])\/([A-Za-z][\w.-]*)/g, (whole, before: string, first: string) =>
    shared.has(first) ? whole : `${before}${root}/${first}`,
  );
}

/** Users are kept for root; who is not has one user, to whom everything belongs. */
const mappedMachine: Machine = {
  name: 'mapped paths',
  hasUsers: process.getuid?.() === 0,
  prepare(root) {
    const bin = join(root, 'usr/local/bin');
    for (const folder of [bin, join(root, 'etc')]) mkdirSync(folder, { recursive: true });
    // The ordinary user may not reach the one in node_modules.
    execFileSync('sh', [
      '-c',
      'cp -l "$1" "$2" 2>/dev/null || cp "$1" "$2"',
      'sh',
      process.execPath,
      join(bin, 'node'),
    ]);
    const own = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
    const node = mappedMachine.hasUsers ? `${ordinaryUser}:${ordinaryUser}` : own;
    writeFileSync(join(root, 'etc/passwd'), `root:x:${own}::/:/bin/sh\nnode:x:${node}::/:/bin/sh\n`);
  },
  start(root, { words, env, workdir, user }) {
    const certificates = trusted();
    const builds = user === 'root';
    const id = idOf(root, user);
    const shell = words[0] === '/bin/sh' && words[1] === '-c';
    const mapped = words.map((word) => mapPaths(root, word));
    const chown = mappedMachine.hasUsers
      ? `chown() { whom=$(printf %s "$1" | sed 's/node/${ordinaryUser}/g'); shift; command chown "$whom" "$@"; }`
      : 'chown() { :; }';
    const [program = '', ...rest] = shell ? ['/bin/sh', '-c', `${chown}\n${mapped[2]}`] : mapped;
    return spawn(program === 'node' ? join(root, 'usr/local/bin/node') : program, rest, {
      cwd: join(root, workdir),
      ...(mappedMachine.hasUsers && id !== 0 ? { uid: id, gid: id } : {}),
      env: {
        HOME: builds ? homedir() : root,
        ...(builds ? outside() : {}),
        ...(builds && certificates !== undefined ? { NODE_EXTRA_CA_CERTS: certificates } : {}),
        ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, mapPaths(root, value)])),
        PATH: `${join(root, 'usr/local/bin')}:${process.env.PATH}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  },
};

/** The folders of a root that are this machine's own, so that what is looked at is what the Dockerfile made. */
export const made = (root: string): string[] =>
  readdirSync(root).filter(
    (name) => !['usr', 'proc', 'dev', 'etc', 'root', 'run', 'var', 'tmp', 'home', ...systemFolders].includes(name),
  );
