/** Who sends a request, and from which address: the front door keeps it on the request, handlers read it. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Logger } from '../base/log.ts';
import type { RequestCaller } from '../core/kernel/caller.ts';

/** On the request itself: a WeakMap costs an entry per request at every garbage collection (docs/performance.md). */
const kept = Symbol('caller');
type Known = IncomingMessage & { [kept]?: RequestCaller };

/** Once per request, before anything asks who sends it. */
export function keepCaller(req: Known, address: string): RequestCaller {
  // Short, random, in the log and in every error: 48 bits, which Node takes from a supply without a system call each.
  const requestId = randomUUID().slice(0, 13);
  req[kept] = { via: 'http', address, userAgent: req.headers['user-agent'] ?? '', requestId };
  return req[kept];
}

const unknown: RequestCaller = { via: 'http', address: '', userAgent: '', requestId: '' };

/** `via`: the entry point. Takes a Koa context, or anything else that holds Node's request. */
export function callerOf({ req }: { readonly req: Known }, via = 'http'): RequestCaller {
  return { ...(req[kept] ?? unknown), via };
}

/** `off`; the last n proxies in front; or the proxies at these addresses (CIDR allowed). */
export type TrustProxy =
  | { readonly kind: 'off' }
  | { readonly kind: 'hops'; readonly hops: number }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

/** The caller's address, from a request whose headers are still as they came. */
export type AddressOf = (req: IncomingMessage) => string;

/** Reads `X-Forwarded-For` from the right, as far as the chain is trusted: further left is a stranger's word. */
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

/**
 * One line each, for as long as the process runs: forwarding headers from a peer that `TRUST_PROXY` does not name, and
 * a trusted proxy that does not say whom it forwards. Either makes strangers share one limit, and neither fails by
 * itself.
 */
interface ForwardingNotices {
  /** `trusted`: whether `TRUST_PROXY` names the peer. The headers must be the caller's own still. */
  look(req: IncomingMessage, peer: string, trusted: boolean): void;
}

const claims = ['x-forwarded-for', 'forwarded', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip'] as const;
const shownMax = 200;

/** What a load balancer or a monitor asks on its own behalf. */
const ownQuestion = /^\/(healthz|readyz|metrics)(\?|$)/;

export function createForwardingNotices(log: Logger): ForwardingNotices {
  let [ignored, silent] = [false, false];

  function saidIn({ headers }: IncomingMessage): Record<string, string> {
    const said = claims.filter((name) => headers[name] !== undefined);
    return Object.fromEntries(said.map((name) => [name, String(headers[name]).slice(0, shownMax)]));
  }

  return {
    look(req, peer, trusted) {
      if (!trusted) {
        if (ignored || !claims.some((name) => req.headers[name] !== undefined)) return;
        ignored = true;
        log.warn(
          { peer, said: saidIn(req), setting: 'TRUST_PROXY' },
          'forwarding headers are ignored, because TRUST_PROXY does not name the peer that sent them: if it is your proxy, name it there; if not, a caller has made them up. This is said once',
        );
        return;
      }
      if (silent || req.headers['x-forwarded-for'] || ownQuestion.test(req.url ?? '')) return;
      silent = true;
      log.warn(
        { peer, said: saidIn(req), setting: 'TRUST_PROXY' },
        'a proxy that TRUST_PROXY names sends no X-Forwarded-For, so its own address counts for all its callers: have it send one, or take it out of TRUST_PROXY. This is said once',
      );
    },
  };
}
