/**
 * One keep-alive connection of the load generator. It sends a request after the previous response is complete. To be
 * much faster than the servers under test, it parses only status, headers and Content-Length.
 */
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** Status line and headers, unparsed. */
  readonly head: string;
  readonly body: Buffer;
}

export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      // The server closes idle connections, for example while another server is measured. Then a new one is opened.
      this.#socket ??= this.#open();
      this.#socket.write(request, 'latin1');
    });
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => {
      this.#socket = undefined;
      this.#fail(new Error('the server closed the connection'));
    });
    return socket;
  }

  close(): void {
    this.#socket?.destroy();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = bytes.indexOf('\r\n\r\n');
    if (headEnd !== -1) {
      const head = bytes.toString('latin1', 0, headEnd);
      const status = Number(head.slice(9, 12));
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      if (length === undefined && status !== 204) {
        this.#fail(new Error(`a response without Content-Length: ${head}`));
        return;
      }
      const end = headEnd + 4 + Number(length ?? 0);
      if (bytes.length >= end) {
        this.#received = bytes.subarray(end);
        const waiting = this.#waiting;
        this.#waiting = undefined;
        waiting?.resolve({ status, head, body: bytes.subarray(headEnd + 4, end) });
        return;
      }
    }
    this.#received = bytes;
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

export function headerOf(answer: Answer, name: string): string | undefined {
  return new RegExp(`\\r\\n${name}: ([^\\r]*)`, 'i').exec(answer.head)?.[1];
}
