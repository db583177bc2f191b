/** A connection that has asked for an upgrade and gets none: Node's parser has let go of it, and there is no response object. */
import type { Duplex } from 'node:stream';
import { type Refused, statuses, worded } from './answers.ts';

export function refuseUpgrade(socket: Duplex, refused: Refused, requestId: string): void {
  if (!socket.writable) return;
  const { headers, body } = worded(refused, requestId);
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refused.status} ${statuses[refused.status]}\r\n${lines.join('')}\r\n${body}`);
  endWhenSaid(socket);
}

/** What still comes is dropped: nobody reads it, and what is not read never says that its other end has gone. */
export function endWhenSaid(socket: Duplex): void {
  socket.resume();
  if (socket.writableFinished) socket.destroy();
  else socket.once('finish', () => socket.destroy());
}
