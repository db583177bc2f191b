import { expect, test } from '@jest/globals';
import { isPublicAddress } from '../../src/outgoing/special-addresses.ts';

/** One address of each network of IANA's registries, its first and its last where a neighbour is public. */
const special = `
0.0.0.0 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.0.1
169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1
192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
255.255.255.255 168.63.129.16
:: ::1 ::7f00:1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:a00:1 ::ffff:0:7f00:1
64:ff9b::127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:: 64:ff9b::1 64:ff9b:1::808:808 100::1 100:0:0:1::1 2001::1
2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 2620:4f:8000::1 3fff::1
3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ffff::1
localhost 127.1 0x7f000001 2130706433 0177.0.0.1 1.2.3 1.2.3.4.5
`;
const isPublic = `
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255 172.15.255.255
172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 168.63.129.17
::ffff:8.8.8.8 ::ffff:808:808 64:ff9b::8.8.8.8 64:ff9b::808:808 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 2a00::1
3ffe::1
`;
const list = (text: string) => text.trim().split(/\s+/);

test('E6: no special-purpose address of RFC 6890 counts as public, in any notation', () => {
  expect(list(special).filter(isPublicAddress)).toEqual([]);
});

test('public addresses do, also behind NAT64', () => {
  expect(list(isPublic).filter((address) => !isPublicAddress(address))).toEqual([]);
});
