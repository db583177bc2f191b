/**
 * Development pages answer only the developer, who calls from this machine without a proxy. The peer, the request's own
 * `Host` and the issuer must all be loopback, and no header may show a proxy. Otherwise a tunnel, a proxy or DNS
 * rebinding (`Host: rebind.evil.example` at 127.0.0.1) would open these pages to others.
 *
 * Reads `rawHeaders`, because the front door overwrites `headers`.
 */
import { isLoopbackAuthority, isLoopbackPeer } from '../base/loopback.ts';

export type IsDeveloper = (req: {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly rawHeaders: readonly string[];
}) => boolean;

/** Headers that proxies and tunnels add. */
const passedOn =
  /^(forwarded|via|cdn-loop|x-(forwarded|original|envoy).*|x-real-ip|(true|x|x-cluster|fastly|fly)-client-ip|cf-.*)$/i;

/** `pages`: whether the settings enable development pages. */
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
