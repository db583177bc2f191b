/** Names and connections as this machine has them. Tests put another network in its place. */
import { lookup, Resolver } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';

export interface Network {
  /** All addresses of a host name, in the order in which to try them. May be empty. */
  resolve(host: string, by: Asker): Promise<readonly string[]>;
  /** Connects to the first address that answers, and to no other. */
  connect(addresses: readonly string[], port: number): Socket;
}

interface Asker {
  readonly reviewed: boolean;
  readonly signal: AbortSignal;
}

/** `nameServers`: in place of this machine's own, for names that unreviewed clients chose. */
export function createMachineNetwork({ nameServers }: { readonly nameServers?: readonly string[] } = {}): Network {
  return {
    async resolve(host, { reviewed, signal }) {
      if (!reviewed) return askServers(host, { nameServers, signal });
      const found = await lookup(host, { all: true });
      return found.map(({ address }) => address);
    },
    connect: connectTo,
  };
}

interface Servers {
  readonly nameServers: readonly string[] | undefined;
  readonly signal: AbortSignal;
}

/**
 * `lookup` holds a thread, which all look-ups of the process share, and cannot be ended: strangers who name hosts whose
 * servers never answer would hold up those for the database and for mail.
 */
async function askServers(host: string, { nameServers, signal }: Servers): Promise<string[]> {
  // RFC 6761, section 6.3: no server is asked for these.
  if (/(^|\.)localhost$/.test(host)) return ['127.0.0.1', '::1'];
  const resolver = new Resolver({ timeout: 1500, tries: 2 });
  if (nameServers) resolver.setServers(nameServers);
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  signal.removeEventListener('abort', cancel);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

const connectTo: Network['connect'] = (addresses, port) => {
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const [first] = all;
  return connect({
    // Never looked up: `lookup` answers with the addresses that were checked.
    host: 'checked.invalid',
    port,
    lookup: (_host, options, done) =>
      options.all ? done(null, all) : done(null, first?.address ?? '', first?.family ?? 4),
  });
};
