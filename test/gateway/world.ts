/** A server whose gateway has routes, services behind it, and tokens of every kind. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { token } from '../support/agent.ts';
import { codeFor, redeem, type TestClient } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

export const audience = 'https://api.example.com/';
export const opaqueAudience = 'https://opaque.example.com/';
export const otherOpaqueAudience = 'https://other-opaque.example.com/';

/** A service behind the gateway, and what has reached it. */
export interface Service {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  readonly seen: IncomingMessage[];
  close(): Promise<void>;
}

export async function openService(listener: RequestListener = (_req, res) => res.end('hello')): Promise<Service> {
  const seen: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    seen.push(req);
    listener(req, res);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export type RouteInFile = Readonly<Record<string, unknown>>;

export interface Gateway extends TestServer {
  /** Writes another table into the file; no server reads it by that. */
  write(routes: readonly RouteInFile[] | string): void;
}

export async function startGateway(
  routes: readonly RouteInFile[],
  env: Record<string, string> = {},
  start: (env: Record<string, string>) => Promise<TestServer> = (all) => startServer({ env: all }),
): Promise<Gateway> {
  const { file, write, remove } = routesFile(routes);
  const server = await start({ GATEWAY_ROUTES: file, ...env });
  await server.core.apis.add({ identifier: audience, name: 'Example', scopes });
  for (const identifier of [opaqueAudience, otherOpaqueAudience])
    await server.core.apis.add({ identifier, name: 'Opaque', scopes, tokenFormat: 'opaque' });
  return {
    ...server,
    write,
    async close() {
      await server.close();
      remove();
    },
  };
}

const scopes = [
  { name: 'read', sentence: 'Read.' },
  { name: 'write', sentence: 'Write.' },
];

export function routesFile(routes: readonly RouteInFile[] | string, name = 'routes.json') {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-routes-'));
  const file = join(folder, name);
  const write = (what: readonly RouteInFile[] | string) =>
    writeFileSync(file, typeof what === 'string' ? what : JSON.stringify(what));
  write(routes);
  return { file, write, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A program's own access token for the example API. */
export async function machineToken(server: TestServer, scope = 'read', resource = audience): Promise<string> {
  const client = await buildClient(server, {
    client_name: 'Machine',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    scope: 'read write',
  });
  const { body } = await token(server, client, { grant_type: 'client_credentials', resource, scope });
  if (!body.access_token) throw new Error(`no token: ${JSON.stringify(body)}`);
  return body.access_token;
}

/** A person's access token for one of the APIs. */
export async function personToken(server: TestServer, resource = audience, scope = 'read') {
  const client: TestClient = await buildClient(server);
  const { grant, person } = await codeFor(server, client, { scope: `openid ${scope}`, extra: { resource } });
  const { body } = await redeem(server, client, grant, { resource });
  if (!body.access_token) throw new Error(`no token: ${JSON.stringify(body)}`);
  return { token: body.access_token, person, client };
}

export const caller = { via: 'identity', address: '192.0.2.9', userAgent: 'suite', requestId: 'r' };

export type PersonKind = 'identity' | 'security-service' | 'tinyoauth';

export async function apiSessionToken(
  server: TestServer,
  kind: PersonKind,
  person?: Awaited<ReturnType<typeof buildPerson>>,
) {
  const who = person ?? (await buildPerson(server));
  const outcome = await server.core.apiSessions.login(kind, { username: who.username, password, ...caller, via: kind });
  if (outcome.outcome !== 'signed-in') throw new Error(`not signed in: ${outcome.outcome}`);
  return { token: outcome.token.token, person: who, session: outcome.token.claims };
}

/** `ClientToken:JWT`, as a program of space guard's sends it. */
export async function spaceGuardPair(server: TestServer) {
  const client = await buildClient(server);
  const issued = await server.app.clients.issueToken(client.id, { label: 'suite', lifetime: null });
  if (issued.outcome !== 'issued') throw new Error(issued.outcome);
  const begun = await server.core.clientSessions.begin(issued.value, caller);
  if (begun.outcome !== 'begun') throw new Error(begun.outcome);
  const pair = `${issued.value}:${begun.access.token}`;
  return { pair, client, clientToken: issued.value, access: begun.access.token, refresh: begun.refresh.token };
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly text: string;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  /** Node's own client: it adds `Host` and `Connection` and nothing else. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly bearer?: string | undefined;
  readonly body?: string | Buffer;
}

/** One request on a connection of its own. */
export function call(
  server: Pick<TestServer, 'port'>,
  { method = 'GET', path, headers, bearer, body }: Call,
): Promise<Received> {
  return new Promise((resolve, reject) => {
    const all = { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) };
    const sent = request({
      port: server.port,
      host: 'localhost',
      method,
      path,
      headers: all as Record<string, string>,
      agent: false,
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, rawHeaders: answer.rawHeaders, text }),
      );
    });
    sent.end(body);
  });
}

/** A raw connection, and what has come over it. */
export function openRaw(server: Pick<TestServer, 'port'>) {
  const socket = connect(server.port, 'localhost');
  let text = '';
  let closed = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  return { socket, text: () => text, closed: () => closed };
}
