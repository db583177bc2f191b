/**
 * One request exactly as it is given, and its answer: headers may come twice, and nothing is added but what HTTP needs.
 */
import { request } from 'node:http';
import type { TestServer } from './server.ts';

export interface Call {
  readonly method?: string;
  readonly path: string;
  /** As pairs, so that one may come twice. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  /** Without a Content-Length. */
  readonly chunked?: boolean;
}

export interface CallAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

export function call(
  server: Pick<TestServer, 'port'>,
  { method = 'GET', path, headers = [], body, chunked }: Call,
): Promise<CallAnswer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined || chunked ? [] : [['Content-Length', String(Buffer.byteLength(body))] as const];
    const framing = chunked ? [['Transfer-Encoding', 'chunked'] as const] : length;
    const sent = request(
      {
        host: 'localhost',
        port: server.port,
        method,
        path,
        headers: [['Host', `localhost:${server.port}`] as const, ...headers, ...framing].flat(),
        agent: false,
      },
      (res) => {
        const parts: Buffer[] = [];
        res.on('data', (part: Buffer) => parts.push(part));
        res.on('end', () =>
          resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(parts).toString('utf8') }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A JSON body, POST unless said otherwise. */
export const posting = (path: string, body: unknown, ...headers: (readonly [string, string])[]): Call => ({
  method: 'POST',
  path,
  headers: [['Content-Type', 'application/json'], ...headers],
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});

export const bearer = (token: string) => ['Authorization', `Bearer ${token}`] as const;
