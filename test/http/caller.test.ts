/** G1: whose address counts. A header is a claim; only a trusted proxy's claim is believed. */
import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { clientAddressOf, type TrustProxy } from '../../src/http/caller.ts';

const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

const off: TrustProxy = { kind: 'off' };
const hops = (n: number): TrustProxy => ({ kind: 'hops', hops: n });
const proxies: TrustProxy = { kind: 'addresses', addresses: ['10.0.0.0/8', '2001:db8::1'] };

test.each([
  ['off: the header is a stranger’s', off, '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['IPv4 in IPv6 is the IPv4 address', off, '::ffff:203.0.113.9', undefined, '203.0.113.9'],
  ['one proxy: its last word', hops(1), '10.0.0.1', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
  ['two proxies: the one before the last', hops(2), '10.0.0.1', '1.1.1.1, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
  ['one proxy without the header: the proxy itself', hops(1), '10.0.0.1', undefined, '10.0.0.1'],
  ['named proxies: the first that is none', proxies, '10.1.2.3', '1.1.1.1, 198.51.100.1, 10.9.9.9', '198.51.100.1'],
  ['named proxies, a stranger connects', proxies, '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['named proxies by IPv6', proxies, '2001:db8::1', '198.51.100.1', '198.51.100.1'],
  ['rubbish in the header is not an address', hops(1), '10.0.0.1', '<script>', '10.0.0.1'],
  ['an empty header', hops(1), '10.0.0.1', '', '10.0.0.1'],
  ['a port is left out', hops(1), '10.0.0.1', '1.1.1.1, 198.51.100.1:5678', '198.51.100.1'],
  ['IPv6 with a port', hops(1), '10.0.0.1', '1.1.1.1, [2001:db8::9]:443', '2001:db8::9'],
  ['what stands left of rubbish was said by a stranger', hops(1), '10.0.0.1', '1.1.1.1, unknown', '10.0.0.1'],
])('%s', (_name, trust, remote, forwarded, expected) => {
  expect(clientAddressOf(trust)(request(remote, forwarded))).toBe(expected);
});
