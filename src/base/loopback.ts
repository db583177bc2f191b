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
