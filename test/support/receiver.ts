/**
 * An application's back-channel logout endpoint: a local server that keeps the tokens it gets and answers as a test
 * says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Claims } from './flow.ts';

/** Settings with which a server sends to it. */
export const reachable = { OUTBOUND_ALLOW: '127.0.0.0/8' } as const;

// Not from flow.ts, which only runs within the test runner: processes of the fault run use this file too.
const claimsOf = (jwt: string): Claims => JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());

type Answering = number | ((req: IncomingMessage, res: ServerResponse) => void);

export interface Receiver {
  /** Where one application gets its tokens; every path is one. */
  at(path: string): string;
  /** The logout tokens that came to this path, in order. */
  tokens(path: string): string[];
  claims(path: string): Claims[];
  /** Whole requests that came to any path. */
  readonly requests: readonly { readonly method: string; readonly path: string; readonly type: string }[];
  /** From now on, for this path; 200 without. */
  answer(path: string, how: Answering): void;
  /** Requests to the path that have no answer yet. */
  waiting(path: string): number;
  /** The most connections that were open at the same time. */
  readonly most: number;
  /** Connections ever made. */
  readonly connections: number;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const got = new Map<string, string[]>();
  const answers = new Map<string, Answering>();
  const open = new Map<string, number>();
  const sockets = new Set<Socket>();
  const requests: { method: string; path: string; type: string }[] = [];
  let [most, connections] = [0, 0];
  const server = createServer((req, res) => {
    const path = req.url ?? '';
    let body = '';
    open.set(path, (open.get(path) ?? 0) + 1);
    res.on('close', () => open.set(path, (open.get(path) ?? 1) - 1));
    req.on('data', (chunk) => {
      body += chunk;
    });
    req.on('end', () => {
      requests.push({ method: req.method ?? '', path, type: req.headers['content-type'] ?? '' });
      const token = new URLSearchParams(body).get('logout_token');
      if (token !== null) got.set(path, [...(got.get(path) ?? []), token]);
      const how = answers.get(path) ?? 200;
      if (typeof how === 'function') how(req, res);
      else res.writeHead(how).end();
    });
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    at: (path) => `http://127.0.0.1:${port}${path}`,
    tokens: (path) => got.get(path) ?? [],
    claims: (path) => (got.get(path) ?? []).map(claimsOf),
    requests,
    answer: (path, how) => void answers.set(path, how),
    waiting: (path) => open.get(path) ?? 0,
    get most() {
      return most;
    },
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
