/** The names under which attempts are counted (`Throttle` in core/stores). Keys are of bounded length, whatever was typed. */
import { isIPv4, isIPv6 } from 'node:net';
import { digest } from '../../base/secrets.ts';

/** One counter per account, whichever of its names was typed; `typed` stands in where there is no such account. */
export function accountThrottleKey(subject: string | undefined, typed: string): string {
  return subject === undefined ? `name:${digest(typed.toWellFormed())}` : `account:${subject}`;
}

/** A browser that is known for the account counts for itself: what strangers do to the account does not reach it. */
export function knownBrowserThrottleKey(device: string): string {
  return `device:${device}`;
}

/** Whoever is signed in and proves it once more: strangers have no part in this. */
export function sessionThrottleKey(session: string): string {
  return `session:${session}`;
}

export function addressThrottleKey(address: string | undefined): string {
  return `address:${addressNetwork(address)}`;
}

/** Of a network, as `addressNetwork` has it. */
export function adminKeyThrottleKey(network: string): string {
  return `admin-key:${network}`;
}

/** What a client gets wrong from a network. Longer ids than there are share a counter. */
export function clientThrottleKey(clientId: string, network: string): string {
  return `client:${network}:${clientId.slice(0, 128).toWellFormed()}`;
}

/** What all clients of a network get wrong. */
export function clientsThrottleKey(network: string): string {
  return `clients:${network}`;
}

/** IPv6 by /64, which is one customer's (RFC 6177, section 2); an IPv4 address in IPv6 clothing counts as itself. */
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

/** The eight groups of a valid address, the dotted tail included. */
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
