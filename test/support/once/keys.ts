/** RSA keys for servers that start: making one takes as long as the rest of a start. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { generateKey, type NewKey } from '../../../src/core/keys/keys.ts';
import { onceInRun, runFolder } from './run-folder.ts';

/** Of the next servers of a process, so many have keys of their own. */
const count = 8;
let servers = 0;
const read = new Map<string, KeyObject>();

export async function keyOfRun(): Promise<NewKey> {
  if (runFolder === undefined) return generateKey('RS256');
  servers += 1;
  const path = await onceInRun(runFolder, `rsa-key-${servers % count}`, async (draft) => {
    const { privateKey } = await generateKey('RS256');
    writeFileSync(draft, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  });
  const privateKey = read.get(path) ?? createPrivateKey(readFileSync(path));
  read.set(path, privateKey);
  return { algorithm: 'RS256', privateKey };
}
