/** Refuses an upgrade on the bare connection: Node has detached its parser, and there is no response object. */
import type { Duplex } from 'node:stream';
import { type Refused, statuses, worded } from './answers.ts';

export function refuseUpgrade(socket: Duplex, refused: Refused, requestId: string): void {
  if (!socket.writable) return;
  const { headers, body } = worded(refused, requestId);
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refused.status} ${statuses[refused.status]}\r\n${lines.join('')}\r\n${body}`);
  endWhenSaid(socket);
}

/** Drops further input. A socket that is not read does not notice that the other end has closed. */
export function endWhenSaid(socket: Duplex): void {
  socket.resume();
  if (socket.writableFinished) socket.destroy();
  else socket.once('finish', () => socket.destroy());
}
