/** Request bodies, read whole and never further than the limit. */
import type { IncomingMessage } from 'node:http';
import { Refusal } from '../base/errors.ts';

/** Bytes: more is answered with 413 at every door. */
export const bodyLimit = 65_536;

/** Whether one is announced (RFC 9112, section 6); it may still turn out to be of no bytes. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The whole body, or undefined where it is larger than the limit. Throws `Refusal` where it ends early. */
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
    // The sender has gone, or what it sends is no HTTP any more: nothing here has failed.
    const early = () => reject(new Refusal('invalid_request', 'the body ended early'));
    req.on('error', early);
    req.on('close', () => {
      if (!req.complete) early();
    });
  });
}
