/**
 * Whom development pages answer: the developer at this machine, who asks it directly. The peer, the request's own
 * `Host` and the issuer are loopback together, and nothing has passed the request on. Otherwise a tunnel, a proxy or a
 * rebound name (`Host: rebind.evil.example` at 127.0.0.1) would open them to others.
 *
 * Decided on the request as it came, which `rawHeaders` keeps: the front door overwrites `headers`.
 */
import { isLoopbackAuthority, isLoopbackPeer } from '../base/loopback.ts';

export type IsDeveloper = (req: {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly rawHeaders: readonly string[];
}) => boolean;

/** What proxies and tunnels add. */
const passedOn =
  /^(forwarded|via|cdn-loop|x-(forwarded|original|envoy).*|x-real-ip|(true|x|x-cluster|fastly|fly)-client-ip|cf-.*)$/i;

/** `pages`: whether this server has development pages at all, which follows from its settings. */
export function createIsDeveloper(pages: boolean): IsDeveloper {
  if (!pages) return () => false;
  return ({ socket, rawHeaders }) => {
    if (!isLoopbackPeer(socket.remoteAddress)) return false;
    const names = rawHeaders.filter((_, at) => at % 2 === 0);
    if (names.some((name) => passedOn.test(name))) return false;
    const hosts = rawHeaders.filter((_, at) => /^host$/i.test(rawHeaders[at - 1] ?? '') && at % 2 === 1);
    return hosts.length === 1 && isLoopbackAuthority(hosts[0] ?? '');
  };
}
