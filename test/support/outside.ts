/**
 * Other people's servers, by name, over TLS. Each name has a public address, and a connection to that address reaches a
 * listener on this machine. Any other address is really connected to, so a canary would see it.
 */
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createListener,
  type Server as Listener,
  type Socket,
} from 'node:net';
import { createMachineNetwork, type Network } from '../../src/outgoing/network.ts';
import { createAuthority, trust } from './certificates.ts';

export type Handler = (req: IncomingMessage, res: ServerResponse) => void;

export interface Outside {
  readonly network: Network;
  /** How often each name was resolved. */
  readonly resolved: ReadonlyMap<string, number>;
  /** Serves this host name over TLS. A second call replaces the handler. */
  serve(host: string, handler: Handler): { readonly url: string; readonly requests: readonly string[] };
  /** The addresses of a name: for each look-up the next list, and the last one from then on. */
  name(host: string, ...lists: readonly (readonly string[])[]): void;
  /** The name does not resolve any more. */
  forget(host: string): void;
  close(): Promise<void>;
}

const authority = createAuthority();
let trusted = false;

export async function startOutside(): Promise<Outside> {
  if (!trusted) trust(authority);
  trusted = true;
  const handlers = new Map<string, { handler: Handler; requests: string[] }>();
  const names = new Map<string, readonly (readonly string[])[]>();
  const resolved = new Map<string, number>();
  const server: Server = createServer(authority.issue('default.invalid'), (req, res) => {
    const served = handlers.get(req.headers.host ?? '');
    served?.requests.push(`${req.method} ${req.url}`);
    if (served) served.handler(req, res);
    else res.writeHead(421).end();
  });
  await listening(server);
  const port = portOf(server);
  const publicAddress = '93.184.215.14';

  return {
    resolved,
    network: {
      async resolve(host) {
        const times = resolved.get(host) ?? 0;
        resolved.set(host, times + 1);
        const lists = names.get(host);
        const found = lists?.[Math.min(times, lists.length - 1)];
        if (!found) throw Object.assign(new Error(`no such name: ${host}`), { code: 'ENOTFOUND' });
        return found;
      },
      connect: (addresses, to) =>
        addresses[0] === publicAddress ? connect(port, '127.0.0.1') : createMachineNetwork().connect(addresses, to),
    },
    serve(host, handler) {
      const requests = handlers.get(host)?.requests ?? [];
      if (!handlers.has(host)) {
        server.addContext(host, authority.issue(host));
        names.set(host, [[publicAddress]]);
      }
      handlers.set(host, { handler, requests });
      return { url: `https://${host}`, requests };
    },
    name(host, ...lists) {
      names.set(host, lists);
      resolved.delete(host);
    },
    forget: (host) => void names.delete(host),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Canary {
  readonly port: number;
  /** Connections that it has seen; it must see none. */
  readonly seen: () => number;
  close(): Promise<void>;
}

/** Listens on loopback, on IPv4 and IPv6 where this machine has it. */
export async function startCanary(): Promise<Canary> {
  let seen = 0;
  const listener: Listener = createListener((socket) => {
    seen += 1;
    socket.destroy();
  });
  await listening(listener, '::').catch(() => listening(listener, '127.0.0.1'));
  return {
    port: portOf(listener),
    seen: () => seen,
    close: () => new Promise((resolve) => listener.close(() => resolve())),
  };
}

/** Takes connections on loopback and never says a word. */
export async function startSilent(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const listener = createListener((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await listening(listener);
  return {
    port: portOf(listener),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => listener.close(() => resolve()));
    },
  };
}

/** A server on this machine without TLS. */
export async function startPlain(
  handler: Handler,
  host = '127.0.0.1',
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createPlain(handler);
  await listening(server, host);
  return {
    port: portOf(server),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listening(server: Listener, host = '127.0.0.1'): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve());
  });
}

const portOf = (server: Listener): number => (server.address() as AddressInfo).port;
