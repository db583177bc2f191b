/** HTTP/1.1 by hand: the bytes that are sent are exactly the bytes that were meant. */
import { connect, type Socket } from 'node:net';

export interface Received {
  /** 0: the connection ended without an answer; -1: no answer in time. */
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  readonly ms: number;
}

const patienceMs = 8000;

/** One connection at a time, kept where the server keeps it. */
export class Wire {
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  async send(bytes: Buffer, isHead: boolean): Promise<Received> {
    const kept = this.#socket !== undefined;
    const received = await this.#once(bytes, isHead);
    // A kept connection may have ended in the moment before: the request itself is not to blame.
    return received.status === 0 && kept ? this.#once(bytes, isHead) : received;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #once(bytes: Buffer, isHead: boolean): Promise<Received> {
    const began = performance.now();
    return new Promise((resolve) => {
      const socket = this.#socket ?? connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
      this.#socket = undefined;
      let data: Buffer = Buffer.alloc(0);
      const finish = (received: Omit<Received, 'ms'>, keep: boolean) => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on('error', () => {});
        if (keep) {
          this.#socket = socket;
          socket.on('close', () => {
            if (this.#socket === socket) this.#socket = undefined;
          });
        } else socket.destroy();
        resolve({ ...received, ms: performance.now() - began });
      };
      const timer = setTimeout(
        () => finish({ status: -1, headers: [], body: data.toString('latin1') }, false),
        patienceMs,
      );
      const look = (ended: boolean) => {
        const answer = parse(data, isHead, ended);
        if (answer) finish(answer.received, !ended && answer.keep && answer.length === data.length);
        else if (ended) finish({ status: 0, headers: [], body: data.toString('latin1') }, false);
      };
      socket.on('data', (chunk: Buffer) => {
        data = data.length === 0 ? chunk : Buffer.concat([data, chunk]);
        look(false);
      });
      socket.on('error', () => look(true));
      socket.on('close', () => look(true));
      socket.write(bytes);
    });
  }
}

interface Parsed {
  readonly received: Omit<Received, 'ms'>;
  readonly keep: boolean;
  readonly length: number;
}

/** The first final answer in these bytes, once it is whole. */
function parse(data: Buffer, isHead: boolean, ended: boolean): Parsed | undefined {
  let start = 0;
  for (;;) {
    const end = data.indexOf('\r\n\r\n', start);
    if (end === -1) return undefined;
    const [first = '', ...lines] = data.toString('latin1', start, end).split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0);
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    const header = (name: string) => headers.find(([other]) => other === name)?.[1];
    const at = end + 4;
    if (status === 100) {
      start = at;
      continue;
    }
    const keep = header('connection')?.toLowerCase() !== 'close';
    const whole = (body: string, length: number): Parsed => ({ received: { status, headers, body }, keep, length });
    if (isHead || status === 204 || status === 304) return whole('', at);
    const length = header('content-length');
    if (length !== undefined) {
      if (data.length < at + Number(length) && !ended) return undefined;
      return whole(data.toString('utf8', at, at + Number(length)), at + Number(length));
    }
    if (header('transfer-encoding')?.toLowerCase() === 'chunked') {
      const last = data.indexOf('0\r\n\r\n', at);
      if (last === -1 && !ended) return undefined;
      return whole(data.toString('utf8', at, last === -1 ? undefined : last), last + 5);
    }
    return ended ? whole(data.toString('utf8', at), data.length) : undefined;
  }
}

/**
 * Bytes in parts, and what comes back until the server closes or `forMs` have passed. `cut`: how the client goes away.
 */
export function throwAt(
  port: number,
  parts: readonly Buffer[],
  { forMs = 250, cut }: { forMs?: number; cut?: 'fin' | 'reset' | undefined } = {},
): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }, async () => {
      for (const part of parts) {
        if (socket.destroyed) break;
        socket.write(part);
        if (parts.length > 1) await new Promise((next) => setTimeout(next, 2));
      }
      if (cut === 'fin') socket.end();
      if (cut === 'reset') socket.resetAndDestroy();
    });
    const timer = setTimeout(() => socket.destroy(), forMs);
    socket.on('data', (chunk) => {
      if (answer.length < 200_000) answer += chunk.toString('latin1');
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
