/** A server's beginning and its end. */
import type { Server } from 'node:http';

/** Rejects where the address is taken or not allowed. */
export function listening(server: Server, port: number, host: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Takes no new connections, lets requests under way finish for at most `seconds`, then cuts off the rest. */
export function drained(server: Server, seconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const last = setTimeout(() => server.closeAllConnections(), seconds * 1000);
    // A connection that was busy when the server closed is idle a moment later. Looked at after this turn's sockets have been
    // read: until then one on which the next request waits looks idle as well.
    const idle = setInterval(() => setImmediate(() => server.closeIdleConnections()), 50);
    setImmediate(() =>
      server.close(() => {
        clearTimeout(last);
        clearInterval(idle);
        resolve();
      }),
    );
    return undefined;
  });
}
