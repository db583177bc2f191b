/** Whose address a request comes from. Forwarding headers count only from proxies that `TRUST_PROXY` names. */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { ForwardingNotices } from './forwarding-notices.ts';

/** `off`; the last n proxies in front; or the proxies at these addresses (CIDR allowed). */
export type TrustProxy =
  | { readonly kind: 'off' }
  | { readonly kind: 'hops'; readonly hops: number }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

/** The caller's address, from a request whose headers are still as they came. */
export type AddressOf = (req: IncomingMessage) => string;

/** Reads `X-Forwarded-For` from the right, as far as the chain is trusted: whatever stands further left was said by a stranger. */
export function clientAddressOf(trust: TrustProxy, notices?: ForwardingNotices): AddressOf {
  if (trust.kind === 'off') {
    return (req) => {
      const peer = plain(req.socket.remoteAddress);
      notices?.look(req, peer, false);
      return peer;
    };
  }

  const proxies = new BlockList();
  if (trust.kind === 'addresses') {
    for (const range of trust.addresses) {
      const [address = '', bits] = range.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) proxies.addAddress(address, family);
      else proxies.addSubnet(address, Number(bits), family);
    }
  }
  const trusted = (address: string, hop: number): boolean =>
    trust.kind === 'hops' ? hop < trust.hops : proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

  return (req) => {
    const forwarded = String(req.headers['x-forwarded-for'] ?? '').split(',');
    const claimed = forwarded.reverse().map((part) => plain(withoutPort(part.trim())));
    // Whatever stands left of something that is no address may be a stranger’s word: the chain ends there.
    const rubbish = claimed.findIndex((part) => isIP(part) === 0);
    const peer = plain(req.socket.remoteAddress);
    notices?.look(req, peer, trusted(peer, 0));
    const chain = [peer, ...(rubbish === -1 ? claimed : claimed.slice(0, rubbish))];
    let hop = 0;
    while (hop < chain.length - 1 && trusted(chain[hop] ?? '', hop)) hop += 1;
    return chain[hop] ?? '';
  };
}

/** Some proxies write `192.0.2.1:5678` or `[2001:db8::1]:443`. */
function withoutPort(address: string): string {
  const [, ipv6, ipv4] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/.exec(address) ?? [];
  return ipv6 ?? ipv4 ?? address;
}

/** `::ffff:192.0.2.1` is the IPv4 address it wraps: one person, one throttle key. */
function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}
