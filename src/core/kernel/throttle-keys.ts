/** Keys of the throttle counters (`Throttle` in core/stores). Their length is bounded for any input. */
import { isIPv4, isIPv6 } from 'node:net';
import { digest } from '../../base/secrets.ts';

/** One counter per account, for all its names. For an unknown account, `typed` is counted. */
export function accountThrottleKey(subject: string | undefined, typed: string): string {
  return subject === undefined ? `name:${digest(typed.toWellFormed())}` : `account:${subject}`;
}

/** A browser known for the account has its own counter, so other people's failures do not lock it. */
export function knownBrowserThrottleKey(device: string): string {
  return `device:${device}`;
}

/** A signed-in user who authenticates again has a counter per session; other people's failures do not count. */
export function sessionThrottleKey(session: string): string {
  return `session:${session}`;
}

export function addressThrottleKey(address: string | undefined): string {
  return `address:${addressNetwork(address)}`;
}

/** `network`: from `addressNetwork`, here and below. */
export function adminKeyThrottleKey(network: string): string {
  return `admin-key:${network}`;
}

/** Failures of one client. Ids longer than any real one share a counter. */
export function clientThrottleKey(clientId: string, network: string): string {
  return `client:${network}:${clientId.slice(0, 128).toWellFormed()}`;
}

/** Failures of all clients of a network. */
export function clientsThrottleKey(network: string): string {
  return `clients:${network}`;
}

/** IPv6 by /64, the prefix of one customer (RFC 6177, section 2). An IPv4-mapped address counts as IPv4. */
export function addressNetwork(address = ''): string {
  const bare = address.split('%', 1)[0] ?? '';
  if (isIPv4(bare)) return bare;
  if (!isIPv6(bare)) return digest(address.toWellFormed());
  const groups = ipv6Groups(bare);
  const [g5 = 0, g6 = 0, g7 = 0] = groups.slice(5);
  if (g5 === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return [g6 >> 8, g6 & 255, g7 >> 8, g7 & 255].join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of a valid IPv6 address; a dotted tail becomes two groups. */
function ipv6Groups(address: string): number[] {
  const [head = '', tail] = address.split('::', 2).map((half) => half);
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function groupsOf(half: string): number[] {
  if (half === '') return [];
  return half.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
