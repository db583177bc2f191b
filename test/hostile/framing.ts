/** Set 8: what is no request, or two, or half of one. Each is thrown at the server on a connection of its own. */
import type { Chance } from './random.ts';
import type { Good } from './targets.ts';

export interface Throw {
  readonly name: string;
  readonly parts: readonly Buffer[];
  readonly cut?: 'fin' | 'reset' | undefined;
}

const form = 'grant_type=client_credentials';
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

const shapes: Readonly<Record<string, (host: string) => string>> = {
  'length and chunks': (host) =>
    post(host, `Content-Length: ${form.length}\r\nTransfer-Encoding: chunked`, `0\r\n\r\n${smuggled}`),
  'chunked, identity': (host) =>
    post(host, 'Transfer-Encoding: chunked, identity', `5\r\nhello\r\n0\r\n\r\n${smuggled}`),
  'identity, chunked': (host) => post(host, 'Transfer-Encoding: identity, chunked', '5\r\nhello\r\n0\r\n\r\n'),
  'chunked with a space': (host) => post(host, 'Transfer-Encoding : chunked', '0\r\n\r\n'),
  'x chunked': (host) => post(host, 'Transfer-Encoding: xchunked', '0\r\n\r\n'),
  'chunked twice': (host) => post(host, 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  'two lengths, same': (host) => post(host, `Content-Length: ${form.length}\r\nContent-Length: ${form.length}`, form),
  'two lengths': (host) => post(host, `Content-Length: ${form.length}\r\nContent-Length: 3`, form),
  'lengths in a list': (host) => post(host, 'Content-Length: 5, 5', 'hello'),
  'length -1': (host) => post(host, 'Content-Length: -1', form),
  'length +5': (host) => post(host, 'Content-Length: +5', 'hello'),
  'length 0x5': (host) => post(host, 'Content-Length: 0x5', 'hello'),
  'length too long': (host) => post(host, 'Content-Length: 99999999999999999999', form),
  'length of a gigabyte': (host) => post(host, 'Content-Length: 1073741824', form),
  'length empty': (host) => post(host, 'Content-Length:', form),
  'length too short': (host) => post(host, 'Content-Length: 3', form + smuggled),
  'bare LF': (host) => `GET /healthz HTTP/1.1\nHost: ${host}\n\n`,
  'bare CR': (host) => `GET /healthz HTTP/1.1\rHost: ${host}\r\r`,
  'CR in a value': (host) => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX-A: a\rb\r\n\r\n`,
  'folded header': (host) => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX-A: a\r\n b\r\n\r\n`,
  'space before the colon': (host) => `GET /healthz HTTP/1.1\r\nHost : ${host}\r\n\r\n`,
  'NUL in a header': (host) => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX-A: a\0b\r\n\r\n`,
  'NUL in the path': (host) => `GET /healthz\0 HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  'header without a colon': (host) => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX-A\r\n\r\n`,
  'header without a name': (host) => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n: a\r\n\r\n`,
  'no host': () => 'GET /healthz HTTP/1.1\r\n\r\n',
  'two hosts': (host) =>
    `GET /.well-known/openid-configuration HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example\r\n\r\n`,
  'absolute address': (host) => `GET http://evil.example/healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  'absolute address, protocol': (host) =>
    `POST http://evil.example/oauth/token HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`,
  'absolute address, broken': (host) => `GET http://[ HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  'an asterisk': (host) => `GET * HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  'OPTIONS *': (host) => `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  CONNECT: () => 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
  TRACE: (host) => `TRACE /oauth/token HTTP/1.1\r\nHost: ${host}\r\nCookie: a=b\r\n\r\n`,
  'unknown method': (host) => `BREW /oauth/token HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  'lower-case method': (host) => `get /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  'HTTP/0.9': () => 'GET /healthz\r\n',
  'HTTP/1.0': (host) => `GET /healthz HTTP/1.0\r\nHost: ${host}\r\nConnection: keep-alive\r\n\r\n`,
  'HTTP/1.0 without a host': () => 'GET /oauth/authorize HTTP/1.0\r\n\r\n',
  'HTTP/3.7': (host) => `GET /healthz HTTP/3.7\r\nHost: ${host}\r\n\r\n`,
  'HTTP/2': () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
  'a TLS greeting': () => '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
  'expects and waits': (host) => post(host, `Content-Length: ${form.length}\r\nExpect: 100-continue`, ''),
  'expects the impossible': (host) => post(host, 'Content-Length: 0\r\nExpect: a miracle', ''),
  'chunk extensions': (host) =>
    post(host, 'Transfer-Encoding: chunked', `5;${'a=b;'.repeat(5000)}\r\nhello\r\n0\r\n\r\n`),
  'chunk length too long': (host) => post(host, 'Transfer-Encoding: chunked', 'fffffffffffffffff\r\nhello\r\n'),
  'chunk length negative': (host) => post(host, 'Transfer-Encoding: chunked', '-1\r\nhello\r\n0\r\n\r\n'),
  'many tiny chunks': (host) => post(host, 'Transfer-Encoding: chunked', `${'1\r\na\r\n'.repeat(20_000)}0\r\n\r\n`),
  'chunks without an end': (host) => post(host, 'Transfer-Encoding: chunked', '1\r\na\r\n'.repeat(1000)),
  'trailers with authorization': (host) =>
    post(
      host,
      'Transfer-Encoding: chunked\r\nTrailer: Authorization',
      '5\r\nhello\r\n0\r\nAuthorization: Basic YTpi\r\nX-Admin-Key: x\r\n\r\n',
    ),
  'upgrade to h2c': (host) =>
    `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
  'upgrade to websocket': (host) =>
    `GET /oauth/userinfo HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAA\r\n\r\n`,
  'many headers': (host) => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n${'a: b\r\n'.repeat(3000)}\r\n`,
  'a long header': (host) => `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
  'a long path': (host) => `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  'body on GET': (host) =>
    `GET /oauth/authorize HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`,
  'body too short, then gone': (host) => post(host, 'Content-Length: 1000', form),
  nothing: () => '\r\n\r\n\r\n',
  rubbish: () => '\xff\xfe\xfd\0\x01\x02\r\n\r\n',
};

function post(host: string, header: string, body: string): string {
  return `POST /oauth/token HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\n${header}\r\n\r\n${body}`;
}

const names = Object.keys(shapes);

/** The same at other doors: where a body is JSON, and where it is passed on while it comes. */
function elsewhere(text: string, { gateway }: Good, chance: Chance): string {
  const line = chance.pick([
    `POST /protected/x HTTP/1.1\r\nAuthorization: Bearer ${gateway.person}`,
    `POST /write-data HTTP/1.1\r\nAuthorization: Bearer: ${gateway.program}`,
    `DELETE /security/logout HTTP/1.1`,
    `POST /v1/verify HTTP/1.1\r\nAuthorization: Bearer ${gateway.person}`,
    `POST /register HTTP/1.1`,
    `POST /space-guard/api/v1/register-client HTTP/1.1\r\nAuthorization: Bearer: ${gateway.program}`,
  ]);
  return text
    .replace('POST /oauth/token HTTP/1.1', line)
    .replace(
      /^GET \/(healthz|oauth\/userinfo) HTTP\/1.1/,
      `GET /protected/x HTTP/1.1\r\nAuthorization: Bearer ${gateway.person}`,
    );
}

export function framing(number: number, chance: Chance, good: Good): Throw {
  const { host } = new URL(good.issuer);
  const kind = chance.int(100);
  if (kind < 60) {
    const name = names[number % names.length] ?? '';
    const plain = (shapes[name] as (host: string) => string)(host);
    const text = chance.percent(60) ? elsewhere(plain, good, chance) : plain;
    return {
      name,
      parts: [Buffer.from(text, 'latin1')],
      cut: chance.pick([undefined, undefined, 'fin', 'reset'] as const),
    };
  }
  if (kind < 65) {
    const text = `GET /healthz HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(chance.pick([10, 1000, 10_000]));
    return { name: 'pipelined', parts: [Buffer.from(text)], cut: chance.pick([undefined, 'reset'] as const) };
  }
  // A right request that ends, or breaks off, or pauses, at any byte.
  const { client, login } = good;
  const body = `grant_type=refresh_token&client_id=${client.id}&client_secret=${client.secret}&refresh_token=x`;
  const type = 'Content-Type: application/x-www-form-urlencoded';
  const whole = chance.pick([
    `POST /oauth/token HTTP/1.1\r\nHost: ${host}\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `POST /clients/register HTTP/1.1\r\nHost: ${host}\r\nX-Admin-Key: ${good.adminKey}\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"app_name":"a","contact_email":"a@example.org"    `,
    `POST /interaction/${login.uid} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${login.cookies}\r\n${type}\r\nContent-Length: 60\r\n\r\ncsrf=${login.csrf.slice(0, 20)}&username=a&password=b`,
    `GET /oauth/authorize?client_id=${client.id} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `GET /public/${'x'.repeat(10)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    `POST /protected/x HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${good.gateway.person}\r\nContent-Length: 90\r\n\r\n${'x'.repeat(70)}`,
    `POST /login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{"username":"ada","password":"seven lemons under`,
  ]);
  const at = chance.int(whole.length);
  const [first, rest] = [Buffer.from(whole.slice(0, at)), Buffer.from(whole.slice(at))];
  if (kind < 90)
    return { name: `broken off at byte ${at}`, parts: [first], cut: chance.pick(['fin', 'reset'] as const) };
  return { name: `in two parts at byte ${at}`, parts: [first, rest], cut: chance.pick([undefined, 'reset'] as const) };
}
