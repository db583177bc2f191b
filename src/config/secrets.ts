/**
 * The secrets that a first start makes, so that the server can be tried without settings: the key that protects stored
 * secrets, and an admin key. Both are in DATA_DIR, readable only by this user; of the admin key only a digest is
 * stored.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { privateFolder, privateIfThere } from '../base/private-files.ts';
import { digest, randomToken } from '../base/secrets.ts';
import type { Config } from './config.ts';

export interface Secrets {
  readonly secretKey: string;
  /** SHA-256 of each admin key, base64url. */
  readonly adminKeyDigests: readonly string[];
  /** The admin key that was just made, to be shown once. */
  readonly newAdminKey: string | undefined;
}

const secretKeyFile = 'secret.key';
const adminKeyFile = 'admin-key.sha256';

/** Throws if DATA_DIR cannot be written or closed to other users; the message names the directory. */
export function openSecrets(config: Config, makeAdminKey = true): Secrets {
  if (config.database.kind === 'sqlite') {
    privateFolder(config.dataDir);
    // Also protects files of an earlier start that had no settings for them.
    for (const name of [secretKeyFile, adminKeyFile]) privateIfThere(join(config.dataDir, name));
  }
  const secretKey = config.secretKey ?? kept(config.dataDir, secretKeyFile, () => randomToken(48)).value;
  if (config.adminKeys.length > 0) {
    return { secretKey, adminKeyDigests: config.adminKeys.map(digest), newAdminKey: undefined };
  }
  // Servers that share a database do not share a directory, so the admin key must be set there.
  if (config.database.kind === 'postgres' || !makeAdminKey) {
    return { secretKey, adminKeyDigests: [], newAdminKey: undefined };
  }
  // Starts with a letter, because many commands take a value with a leading dash for an option.
  const fresh = `admin_${randomToken(24)}`;
  const { value, made } = kept(config.dataDir, adminKeyFile, () => digest(fresh));
  return { secretKey, adminKeyDigests: [value], newAdminKey: made ? fresh : undefined };
}

function kept(dir: string, name: string, make: () => string): { value: string; made: boolean } {
  const file = join(dir, name);
  try {
    privateFolder(dir);
    // Exclusive, so that of two processes starting at once one writes the key and the other reads it.
    const value = make();
    writeFileSync(file, `${value}\n`, { mode: 0o600, flag: 'wx' });
    return { value, made: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Error(`DATA_DIR (${dir}) cannot be written: ${(error as Error).message}`);
    }
    privateIfThere(file);
    return { value: readFileSync(file, 'utf8').trim(), made: false };
  }
}
