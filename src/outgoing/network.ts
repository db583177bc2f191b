/** Names and connections as this machine has them. Tests put another network in its place. */
import { lookup } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';

export interface Network {
  /** All addresses of a host name, in the order in which to try them. An address stands for itself. */
  resolve(host: string): Promise<readonly string[]>;
  /** Connects to the first address that answers, and to no other. */
  connect(addresses: readonly string[], port: number): Socket;
}

export const machineNetwork: Network = {
  async resolve(host) {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  },

  connect(addresses, port) {
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const [first] = all;
    return connect({
      // Never looked up: `lookup` answers with the addresses that were checked.
      host: 'checked.invalid',
      port,
      lookup: (_host, options, done) =>
        options.all ? done(null, all) : done(null, first?.address ?? '', first?.family ?? 4),
    });
  },
};
