/** Request bodies, read whole and never further than the limit. */
import type { IncomingMessage } from 'node:http';

/** Bytes: more is answered with 413 at every door. */
export const bodyLimit = 65_536;

/** The whole body, or undefined where it is larger than the limit. Throws where the client goes away in the middle. */
export async function readBody(req: IncomingMessage, limit = bodyLimit): Promise<Buffer | undefined> {
  if (Number(req.headers['content-length'] ?? 0) > limit) return undefined;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        req.removeAllListeners('data');
        req.resume();
        resolve(undefined);
      } else chunks.push(chunk);
    });
    req.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    req.on('error', reject);
    req.on('close', () => {
      if (!req.complete) reject(new Error('the client went away in the middle of its request'));
    });
  });
}
