/** Loopback: this machine itself, by name or by address. */

/** Whether a URL's host name means this machine on every machine (RFC 8252, section 8.3; RFC 6761, section 6.3). */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** Whether a `Host` header names this machine, with any port. What is not a plain host and port does not. */
export function isLoopbackAuthority(authority: string): boolean {
  if (!/^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(authority)) return false;
  const url = URL.parse(`http://${authority}`);
  return url !== null && isLoopbackHost(url.hostname);
}

/** Whether a socket's other end is on this machine. `address` is as Node writes it; IPv4 may come as IPv6. */
export function isLoopbackPeer(address: string | undefined): boolean {
  return /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/i.test(address ?? '');
}

/**
 * An http address on this machine without its port; undefined for every other one, and where the port cannot be one. The three
 * hosts of RFC 8252, sections 7.3 and 8.3, as they are written: nothing else of the address is changed.
 */
export function withoutLoopbackPort(address: string): string | undefined {
  const [, host, port = '80', rest] =
    /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::(\d{1,5}))?((?:[/?#].*)?)$/s.exec(address) ?? [];
  return host === undefined || Number(port) < 1 || Number(port) > 65_535 ? undefined : host + rest;
}
