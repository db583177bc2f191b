/** Which addresses are public. The lists follow IANA's registries of special-purpose addresses (RFC 6890). */
import { BlockList, isIP } from 'node:net';

const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Not in the registry: the address of a cloud's own services, as 169.254.169.254 is elsewhere.
  '168.63.129.16/32',
];

/** Within 2000::/3. All other IPv6 addresses are special, except those that contain an IPv4 address. */
const special6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

/** Prefixes whose last 32 bits are an IPv4 address that is reached: mapped, and NAT64 (RFC 6052, section 2.1). */
const embedding = ['::ffff:0:0/96', '64:ff9b::/96'];

const specialList = networkList([...special4, ...special6]);
const globalList = networkList(['2000::/3']);
const embeddingList = embedding.map((network) => networkList([network]));

/** Networks in CIDR notation, or single addresses. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

/** `address`: as a resolver returns it. An IPv4 address in IPv6 notation counts as the IPv4 address. */
export function isAmong(list: BlockList, address: string): boolean {
  const family = isIP(address);
  if (family === 4) return list.check(address, 'ipv4');
  return family === 6 && !address.includes('%') && list.check(address, 'ipv6');
}

export function isPublicAddress(address: string): boolean {
  const plain = embeddedAddress(address) ?? address;
  if (isIP(plain) === 4) return !isAmong(specialList, plain);
  return isAmong(globalList, plain) && !isAmong(specialList, plain);
}

/** The IPv4 address that the last 32 bits of this IPv6 address mean. */
function embeddedAddress(address: string): string | undefined {
  if (isIP(address) !== 6 || !embeddingList.some((list) => list.check(address, 'ipv6'))) return undefined;
  if (address.includes('.')) return address.slice(address.lastIndexOf(':') + 1);
  // The URL parser writes the shortest form, so the last two groups are there unless zeros are left out.
  const [, tail = ''] = /^\[(.*)\]$/.exec(new URL(`http://[${address}]`).hostname) ?? [];
  const groups = tail.split('::').at(-1)?.split(':') ?? [];
  const [high = '0', low = '0'] = [groups.at(-2), groups.at(-1)].map((group) => group || '0');
  const bits = (Number.parseInt(high, 16) << 16) | Number.parseInt(low, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join('.');
}
