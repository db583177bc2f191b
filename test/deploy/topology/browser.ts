/**
 * A browser at an address of its own: requests over TLS to the proxy, cookies kept, redirects of the issuer's own
 * followed.
 */
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { csrfOf } from '../../support/agent.ts';

export interface Site {
  readonly issuer: string;
  /** Where the proxy listens, for https and for http. */
  readonly port: number;
  readonly httpPort: number;
  /** Whom its certificate is believed by. */
  readonly ca: string;
}

export interface Reply {
  readonly status: number;
  readonly path: string;
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Asked {
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly follow?: boolean;
  /** Over http, to the port beside. */
  readonly plain?: boolean;
}

export class Browser {
  readonly #site: Site;
  readonly #address: string;
  readonly #cookies = new Map<string, string>();
  /** What it says of itself with every request. */
  readonly #says: Readonly<Record<string, string>>;

  constructor(site: Site, address: string, says: Readonly<Record<string, string>> = {}) {
    this.#site = site;
    this.#address = address;
    this.#says = says;
  }

  async go(path: string, asked: Asked = {}): Promise<Reply> {
    const reply = await this.#ask(path, asked);
    for (const line of reply.cookies) this.#keep(line);
    const target = reply.location === undefined ? undefined : URL.parse(reply.location, this.#site.issuer);
    if (asked.follow === false || reply.status !== 303 || target?.origin !== this.#site.issuer) return reply;
    return this.go(target.pathname + target.search);
  }

  /** Fills in the form of this page. */
  submit(page: Reply, fields: Readonly<Record<string, string>>, asked: Asked = {}): Promise<Reply> {
    return this.go(page.path.split('?', 1)[0] ?? '', { ...asked, form: { csrf: csrfOf(page), ...fields } });
  }

  #keep(line: string): void {
    const [pair = ''] = line.split('; ');
    const at = pair.indexOf('=');
    if (pair.slice(at + 1) === '') this.#cookies.delete(pair.slice(0, at));
    else this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }

  #ask(path: string, { form, json, headers = {}, plain = false }: Asked): Promise<Reply> {
    const { issuer, port, httpPort, ca } = this.#site;
    const { host, hostname } = new URL(issuer);
    const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
    const type = form ? 'application/x-www-form-urlencoded' : 'application/json';
    const options = {
      host: '127.0.0.1',
      port: plain ? httpPort : port,
      localAddress: this.#address,
      path,
      method: body === undefined ? 'GET' : 'POST',
      agent: false as const,
      timeout: 20_000,
      headers: {
        host,
        accept: 'text/html',
        ...(this.#cookies.size > 0
          ? { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
          : {}),
        ...(body === undefined ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }),
        ...this.#says,
        ...headers,
      },
    };
    return new Promise((resolve, reject) => {
      const sent = plain ? plainRequest(options) : request({ ...options, servername: hostname, ca });
      sent.on('response', (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk) => {
          text += chunk;
        });
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            path,
            location: answer.headers.location,
            cookies: answer.headers['set-cookie'] ?? [],
            headers: answer.headers,
            text,
          }),
        );
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer to ${path} within 20 s`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }
}
