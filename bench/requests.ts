/** The requests of the benchmark as bytes on the wire. */
export type Headers = Readonly<Record<string, string>>;

export function get(server: { readonly port: number }, path: string, headers: Headers = {}): string {
  return `GET ${path} HTTP/1.1\r\n${headerLines({ Host: hostOf(server), ...headers })}\r\n`;
}

export function post(
  server: { readonly port: number },
  path: string,
  form: Readonly<Record<string, string>>,
  headers: Headers = {},
): string {
  const body = new URLSearchParams(form).toString();
  const all = {
    Host: hostOf(server),
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(body.length),
    ...headers,
  };
  return `POST ${path} HTTP/1.1\r\n${headerLines(all)}\r\n${body}`;
}

/** A POST without a body. */
export function postNothing(server: { readonly port: number }, path: string, headers: Headers): string {
  return `POST ${path} HTTP/1.1\r\n${headerLines({ Host: hostOf(server), 'Content-Length': '0', ...headers })}\r\n`;
}

/** RFC 6749, section 2.3.1. */
export function basic(client: { id: string; secret: string }): Headers {
  const pair = `${encodeURIComponent(client.id)}:${encodeURIComponent(client.secret)}`;
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

const hostOf = (server: { readonly port: number }): string => `localhost:${server.port}`;

function headerLines(headers: Headers): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
