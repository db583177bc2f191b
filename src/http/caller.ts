/** The sender of a request and its address. The front door keeps them on the request, and handlers read them. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Logger } from '../base/log.ts';
import type { RequestCaller } from '../core/kernel/caller.ts';

/** Kept on the request: a WeakMap costs an entry per request at every garbage collection (docs/performance.md). */
const kept = Symbol('caller');
type Known = IncomingMessage & { [kept]?: RequestCaller };

/** Call it once per request, before other code reads the caller. */
export function keepCaller(req: Known, address: string): RequestCaller {
  // Short and random, in the log and in every error: 48 bits, which Node serves from a buffer without a system call.
  const requestId = randomUUID().slice(0, 13);
  req[kept] = { via: 'http', address, userAgent: req.headers['user-agent'] ?? '', requestId };
  return req[kept];
}

const unknown: RequestCaller = { via: 'http', address: '', userAgent: '', requestId: '' };

/** `via`: the entry point. Takes a Koa context, or any object with Node's request. */
export function callerOf({ req }: { readonly req: Known }, via = 'http'): RequestCaller {
  return { ...(req[kept] ?? unknown), via };
}

/** `hops`: the last n proxies. `addresses`: the proxies at these addresses (CIDR allowed). */
export type TrustProxy =
  | { readonly kind: 'off' }
  | { readonly kind: 'hops'; readonly hops: number }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

/** The caller's address. Call it before any header is overwritten. */
export type AddressOf = (req: IncomingMessage) => string;

/** Reads `X-Forwarded-For` from the right while the proxies are trusted; entries further left are untrusted. */
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
    // The chain ends at the first entry that is not an address, because everything before it is untrusted.
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

/** `::ffff:192.0.2.1` is the IPv4 address it contains: one caller must have one throttle key. */
function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/**
 * Two warnings, each logged once per process: forwarding headers from a peer that `TRUST_PROXY` does not name, and a
 * trusted proxy that names no caller. In both cases unrelated callers share one limit, without any error.
 */
interface ForwardingNotices {
  /** `trusted`: whether `TRUST_PROXY` names the peer. Call it before any header is overwritten. */
  look(req: IncomingMessage, peer: string, trusted: boolean): void;
}

const claims = ['x-forwarded-for', 'forwarded', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip'] as const;
const shownMax = 200;

/** Paths that a load balancer or a monitor requests for itself. */
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
          'forwarding headers are ignored, because TRUST_PROXY does not name the peer that sent them. If the peer is your proxy, add it to TRUST_PROXY; otherwise a caller forged them. This warning is logged once',
        );
        return;
      }
      if (silent || req.headers['x-forwarded-for'] || ownQuestion.test(req.url ?? '')) return;
      silent = true;
      log.warn(
        { peer, said: saidIn(req), setting: 'TRUST_PROXY' },
        'a proxy that TRUST_PROXY names sends no X-Forwarded-For, so all its callers share its address. Configure it to send X-Forwarded-For, or remove it from TRUST_PROXY. This warning is logged once',
      );
    },
  };
}
