/**
 * How long a request's body may take to arrive (security.md L4). Node's own `requestTimeout` is one figure for a whole server,
 * and would cut off an upload that the gateway passes on; so the server has none, and each request that has a body gets a
 * deadline here, whoever reads it and also where nobody does. Headers stay with Node's `headersTimeout`.
 */
import type { IncomingMessage } from 'node:http';

/** On the request itself, for the sake of the garbage collector. */
const deadline = Symbol('deadline');
type Timed = IncomingMessage & { [deadline]?: NodeJS.Timeout };

/** From now on; in place of a deadline given before. */
export function limitBodyTime(req: Timed, ms: number): void {
  const { headers, socket } = req;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return;
  const before = req[deadline];
  clearTimeout(before);
  if (req.complete || socket.destroyed) return;
  const timer = setTimeout(() => cutOff(req), ms);
  req[deadline] = timer;
  if (before !== undefined) return;
  const over = () => {
    clearTimeout(req[deadline]);
    socket.off('close', over);
  };
  req.once('close', over);
  // A request that was answered before its body was there hears nothing of the connection's end.
  socket.once('close', over);
}

function cutOff(req: IncomingMessage): void {
  const { socket } = req;
  if (req.complete || socket.destroyed) return;
  // As Node words it. Where an answer is already on its way the client reads that one first.
  socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
  socket.destroySoon();
}
