/**
 * The two secrets a first start makes for itself, so that nothing has to be set before trying the server: the key that
 * protects stored secrets, and an admin key. Both live in DATA_DIR, readable by this user alone; of the admin key only a digest.
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
  /** The admin key made a moment ago: to be shown once. */
  readonly newAdminKey: string | undefined;
}

const secretKeyFile = 'secret.key';
const adminKeyFile = 'admin-key.sha256';

/** Throws where DATA_DIR cannot be written or kept from others: the message names the directory. */
export function openSecrets(config: Config, makeAdminKey = true): Secrets {
  if (config.database.kind === 'sqlite') {
    privateFolder(config.dataDir);
    // Those of a start before that had no settings for them, too.
    for (const name of [secretKeyFile, adminKeyFile]) privateIfThere(join(config.dataDir, name));
  }
  const secretKey = config.secretKey ?? kept(config.dataDir, secretKeyFile, () => randomToken(48)).value;
  if (config.adminKeys.length > 0) {
    return { secretKey, adminKeyDigests: config.adminKeys.map(digest), newAdminKey: undefined };
  }
  // Nodes that share a database do not share a directory: there a key has to be set, and until then there is none.
  if (config.database.kind === 'postgres' || !makeAdminKey) {
    return { secretKey, adminKeyDigests: [], newAdminKey: undefined };
  }
  // Begins with a letter: a value that begins with a dash is taken for an option by many a command.
  const fresh = `admin_${randomToken(24)}`;
  const { value, made } = kept(config.dataDir, adminKeyFile, () => digest(fresh));
  return { secretKey, adminKeyDigests: [value], newAdminKey: made ? fresh : undefined };
}

function kept(dir: string, name: string, make: () => string): { value: string; made: boolean } {
  const file = join(dir, name);
  try {
    privateFolder(dir);
    // Exclusive: of two processes starting at once, one makes it and the other reads it.
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
