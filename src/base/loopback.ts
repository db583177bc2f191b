/** Detects loopback: this machine, by name or by address. */

/** True if a URL's host name means this machine on every machine (RFC 8252, section 8.3; RFC 6761, section 6.3). */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** True if a `Host` header names this machine, with any port. False if the value is not a plain host and port. */
export function isLoopbackAuthority(authority: string): boolean {
  if (!/^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(authority)) return false;
  const url = URL.parse(`http://${authority}`);
  return url !== null && isLoopbackHost(url.hostname);
}

/** True if the peer of a socket is on this machine. `address` is in Node's notation; IPv4 may be mapped to IPv6. */
export function isLoopbackPeer(address: string | undefined): boolean {
  return /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/i.test(address ?? '');
}

/**
 * Removes the port from an http URL on this machine (RFC 8252, sections 7.3 and 8.3) and leaves the rest unchanged.
 * Returns undefined for other URLs and for an invalid port.
 */
export function withoutLoopbackPort(address: string): string | undefined {
  const [, host, port = '80', rest] =
    /^(http:\/\/(?:127\.0\.0\.1|\[::1\]|localhost))(?::(\d{1,5}))?((?:[/?#].*)?)$/s.exec(address) ?? [];
  return host === undefined || Number(port) < 1 || Number(port) > 65_535 ? undefined : host + rest;
}
