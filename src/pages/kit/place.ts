/** What an IP address alone says about its location. There is no GeoIP database. */
import { BlockList, isIP } from 'node:net';

/** `here`: the machine of this server. `private`: a private network (RFC 1918, RFC 4193) or link-local. */
export const addressPlaces = ['here', 'private'] as const;
export type AddressPlace = (typeof addressPlaces)[number];

const listOf = (...ranges: readonly string[]): BlockList => {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
};
const lists: Readonly<Record<AddressPlace, BlockList>> = {
  here: listOf('127.0.0.0/8', '::1/128'),
  private: listOf('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7', 'fe80::/10'),
};

export function placeOf(address: string | undefined): AddressPlace | undefined {
  const version = isIP(address ?? '');
  if (address === undefined || version === 0) return undefined;
  return addressPlaces.find((place) => lists[place].check(address, version === 6 ? 'ipv6' : 'ipv4'));
}
