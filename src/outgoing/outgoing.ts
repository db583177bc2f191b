/**
 * Requests to addresses that clients named. In this order: the form of the address; its host name is resolved once;
 * every address that it has is checked; the connection goes to those addresses and no others; the answer is read within
 * a size and a time. No redirect is followed and no connection is kept.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request as send } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { certificateProblem } from '../base/tls-failures.ts';
import type { Outgoing, OutgoingAnswer, OutgoingRequest, OutgoingRule } from '../core/outgoing/outgoing.ts';
import { createMachineNetwork, type Network } from './network.ts';
import { openTunnel, ProxyRefused } from './proxy.ts';
import { isAmong, isPublicAddress, networkList } from './special-addresses.ts';

interface OutgoingDeps {
  readonly config: {
    readonly outgoing: {
      /** Networks in CIDR notation that reviewed clients may name, also over http. */
      readonly allow: readonly string[];
      readonly proxy: string | undefined;
    };
  };
  readonly log: Logger;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly network?: Network | undefined;
}

const defaultTimeoutMs = 3000;
const defaultMaxBytes = 65_536;

export function createOutgoing({ config, log, metrics, network = createMachineNetwork() }: OutgoingDeps): Outgoing {
  const allowed = networkList(config.outgoing.allow);
  const { proxy } = config.outgoing;

  /** The addresses to connect to, in order. Throws `Refused`. */
  async function checkedAddresses(url: URL, { reviewed }: OutgoingRequest, signal: AbortSignal): Promise<Checked> {
    const host = bareHost(url);
    const addresses = isIP(host) ? [host] : await network.resolve(host, { reviewed, signal });
    if (addresses.length === 0) throw new NoAddress();
    const isAllowed = (address: string) => reviewed && isAmong(allowed, address);
    const refused = addresses.find((address) => !isPublicAddress(address) && !isAllowed(address));
    if (refused !== undefined) throw new Refused('address', addressReason(host, reviewed));
    const internal = addresses.every(isAllowed);
    if (url.protocol === 'http:' && !internal) {
      throw new Refused(
        'scheme',
        'The address must begin with https://, because OUTBOUND_ALLOW does not name its network.',
      );
    }
    return { addresses, internal };
  }

  /** A socket to one of the addresses, encrypted unless the address is http. */
  async function open(url: URL, { addresses, internal }: Checked, signal: AbortSignal): Promise<Socket> {
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    // Networks that an operator allowed are reached directly: an egress proxy does not lead to them.
    const plain =
      proxy === undefined || internal
        ? network.connect(addresses, port)
        : await openTunnel(proxy, { address: preferred(addresses), port }, signal).catch(throwProxyFault);
    signal.addEventListener('abort', () => plain.destroy(), { once: true });
    if (url.protocol === 'http:') return plain;
    const host = bareHost(url);
    return connectTls({
      socket: plain,
      host,
      ...(isIP(host) ? {} : { servername: host }),
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      // Also where the environment switches the check off for the process.
      rejectUnauthorized: true,
    });
  }

  async function answer(request: OutgoingRequest, signal: AbortSignal): Promise<OutgoingAnswer> {
    const url = parsed(request.url);
    const checked = await untilAborted(checkedAddresses(url, request, signal), signal);
    const socket = await untilAborted(open(url, checked, signal), signal);
    const response = await responseOf(url, request, socket, signal);
    try {
      const status = response.statusCode ?? 0;
      if (status >= 300 && status < 400)
        throw new Refused('redirect', 'The answer is a redirect, and redirects are not followed.');
      const body = request.ignoreBody ? Buffer.alloc(0) : await bodyOf(response, request.maxBytes ?? defaultMaxBytes);
      return { outcome: 'answered', status, headers: plainHeaders(response.headers), body };
    } finally {
      response.destroy();
      socket.destroy();
    }
  }

  return {
    async fetch(request) {
      const { purpose, timeoutMs = defaultTimeoutMs } = request;
      const deadline = AbortSignal.timeout(timeoutMs);
      const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
      const result = await answer(request, signal).catch((error: unknown) =>
        deadline.aborted ? timedOut(timeoutMs) : unanswered(error),
      );
      metrics.count('outgoing_requests_total', { purpose, outcome: labelOf(result) });
      if (result.outcome !== 'answered') {
        const { reason } = result;
        log.debug(
          { purpose, host: URL.parse(request.url)?.host, reason },
          'an address that a client named was not fetched',
        );
      }
      return result;
    },
  };
}

interface Checked {
  readonly addresses: readonly string[];
  /** All of them are in `OUTBOUND_ALLOW`. */
  readonly internal: boolean;
}

class Refused extends Error {
  readonly rule: OutgoingRule;

  constructor(rule: OutgoingRule, reason: string) {
    super(reason);
    this.rule = rule;
  }
}

class NoAddress extends Error {}
class ProxyFault extends Error {}

/** The URL parser turns decimal, octal and hexadecimal addresses into dotted ones, which are then checked. */
function parsed(text: string): URL {
  const url = /[\s\\]/.test(text) ? null : URL.parse(text);
  if (!url || url.hostname === '') throw new Refused('url', 'The address is not an absolute URL.');
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new Refused('scheme', 'The address must begin with https://.');
  if (url.username !== '' || url.password !== '') throw new Refused('url', 'The address must not contain credentials.');
  if (url.hostname.endsWith('.')) throw new Refused('url', 'The host name must not end with a dot.');
  return url;
}

/** Without the brackets of an IPv6 address. */
const bareHost = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');

function addressReason(host: string, reviewed: boolean): string {
  const what = isIP(host) ? 'The host is' : 'The host name resolves to';
  return reviewed
    ? `${what} an address that is not public, and OUTBOUND_ALLOW does not name its network.`
    : `${what} an address that is not public, which an unreviewed client may not name.`;
}

/** Proxies without IPv6 are common. */
const preferred = (addresses: readonly string[]): string =>
  addresses.find((address) => isIP(address) === 4) ?? addresses[0] ?? '';

function throwProxyFault(error: unknown): never {
  throw new ProxyFault(
    error instanceof ProxyRefused
      ? `HTTPS_PROXY does not open the connection: ${error.message}.`
      : 'HTTPS_PROXY cannot be reached.',
  );
}

/** Rejects when the signal aborts. What the promise brings later is closed. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(
      (value) => {
        signal.removeEventListener('abort', abort);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', abort);
        reject(error);
      },
    );
  });
}

function responseOf(
  url: URL,
  { method = 'GET', headers = {}, body }: OutgoingRequest,
  socket: Socket,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = send({
      createConnection: () => socket,
      signal,
      method,
      path: url.pathname + url.search,
      headers: {
        host: url.host,
        'user-agent': 'Gatehouse',
        'accept-encoding': 'identity',
        ...headers,
        ...length,
        connection: 'close',
      },
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection ended')));
    request.end(body);
  });
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () => new Refused('size', `The answer is longer than ${maxBytes} bytes.`);
  if (Number(response.headers['content-length']) > maxBytes) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}

function timedOut(timeoutMs: number): OutgoingAnswer {
  return {
    outcome: 'failed',
    fault: 'time',
    reason: `The host did not answer within ${timeoutMs / 1000} s.`,
  };
}

function unanswered(error: unknown): OutgoingAnswer {
  if (error instanceof Refused) return { outcome: 'refused', rule: error.rule, reason: error.message };
  if (error instanceof ProxyFault) return { outcome: 'failed', fault: 'proxy', reason: error.message };
  const code = String((error as NodeJS.ErrnoException).code ?? '');
  if (error instanceof NoAddress || nameFaults.test(code))
    return { outcome: 'failed', fault: 'name', reason: 'The host name does not resolve.' };
  const problem = certificateProblem(code);
  if (problem !== undefined)
    return { outcome: 'failed', fault: 'certificate', reason: `The certificate of the host is refused: ${problem}.` };
  return { outcome: 'failed', fault: 'connection', reason: 'The host did not answer the request.' };
}

const nameFaults = /^(ENOTFOUND|EAI_[A-Z]+|ENODATA)$/;

function labelOf(answer: OutgoingAnswer): string {
  if (answer.outcome === 'answered') return 'answered';
  return answer.outcome === 'refused' ? `refused_${answer.rule}` : `failed_${answer.fault}`;
}
