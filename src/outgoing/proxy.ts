/** A tunnel through the operator's HTTP proxy (RFC 9110, section 9.3.6). */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';

export class ProxyRefused extends Error {}

interface Target {
  /** A checked address. The proxy gets no name, because it could resolve the name to another address. */
  readonly address: string;
  readonly port: number;
}

/** Throws `ProxyRefused` if the proxy does not open the tunnel, and the socket's error if it cannot be reached. */
export function openTunnel(proxy: string, { address, port }: Target, signal: AbortSignal): Promise<Socket> {
  const url = new URL(proxy);
  const target = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const user = [url.username, url.password].map(decodeURIComponent).join(':');
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'CONNECT',
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: target,
      headers: {
        host: target,
        ...(user === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
      },
      agent: false,
      signal,
    });
    asked.once('connect', ({ statusCode }, socket, head) => {
      if (statusCode === 200 && head.length === 0) return resolve(socket);
      socket.destroy();
      reject(new ProxyRefused(`it answered ${statusCode}`));
    });
    asked.once('response', (response) => {
      response.destroy();
      reject(new ProxyRefused(`it answered ${response.statusCode}`));
    });
    asked.once('error', reject);
    asked.end();
  });
}
