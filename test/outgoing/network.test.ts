/** How the names that clients chose become addresses. */
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createMachineNetwork, type Network } from '../../src/outgoing/network.ts';

/** A name server (RFC 1035): one address of each kind for every name, and no answer for names below `silent`. */
async function startNameServer() {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += length + 1;
    }
    const kind = query.readUInt16BE(at + 1);
    asked.push(`${kind} ${labels.join('.')}`);
    if (labels.at(-1) === 'silent') return;
    const address = kind === 1 ? '5db8d70e' : '26062800022000010248189325c81946';
    const size = (address.length / 2).toString(16).padStart(4, '0');
    const record = Buffer.from(`c00c${kind.toString(16).padStart(4, '0')}00010000003c${size}${address}`, 'hex');
    const header = Buffer.from(`${query.toString('hex', 0, 2)}81800001000100000000`, 'hex');
    socket.send(Buffer.concat([header, query.subarray(12, at + 5), record]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  return { asked, address: `127.0.0.1:${port}`, close: () => socket.close() };
}

let server: Awaited<ReturnType<typeof startNameServer>>;
let network: Network;
beforeAll(async () => {
  server = await startNameServer();
  network = createMachineNetwork({ nameServers: [server.address] });
});
afterAll(() => {
  server.close();
});

const unended = () => new AbortController().signal;

test('a name of an unreviewed client is asked from the name servers, for both kinds of address', async () => {
  const found = await network.resolve('app.example', { reviewed: false, signal: unended() });
  expect(found).toEqual(['93.184.215.14', '2606:2800:220:1:248:1893:25c8:1946']);
  expect(server.asked.toSorted()).toEqual(['1 app.example', '28 app.example']);
});

test('localhost is loopback for everyone, and a reviewed client may use the names of this machine', async () => {
  server.asked.length = 0;
  for (const host of ['localhost', 'a.localhost'])
    expect(await network.resolve(host, { reviewed: false, signal: unended() })).toEqual(['127.0.0.1', '::1']);
  expect(await network.resolve('localhost', { reviewed: true, signal: unended() })).toContain('127.0.0.1');
  expect(server.asked).toEqual([]);
});

test('names whose server never answers end with their request, and hold up no look-up of this machine', async () => {
  const giveUp = new AbortController();
  const silent = Array.from({ length: 50 }, (_, n) =>
    network.resolve(`n${n}.silent`, { reviewed: false, signal: giveUp.signal }),
  );
  expect(await network.resolve('localhost', { reviewed: true, signal: unended() })).toContain('127.0.0.1');
  giveUp.abort();
  expect(await Promise.all(silent)).toEqual(Array(50).fill([]));
});
