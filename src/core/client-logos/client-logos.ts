/**
 * Logos of clients, fetched by this server and served from its own address. Otherwise each visitor's browser would tell
 * the client's host who is about to sign in, and the picture could change after a review.
 */
import { nowSeconds } from '../../base/clock.ts';
import { createLru } from '../../base/lru.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { Outgoing } from '../outgoing/outgoing.ts';
import type { ClientRecord } from '../stores/clients.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';

interface Logo {
  readonly type: string;
  readonly body: Buffer;
}

interface ClientLogos {
  /**
   * Undefined if the client has no logo, or its address brings no picture. `address`: of the caller, whose fetches are
   * limited. Throws `Unavailable`.
   */
  find(client: ClientRecord, address: string | undefined): Promise<Logo | undefined>;
}

interface Kept {
  readonly logo: Logo | undefined;
  /** Seconds since the epoch. */
  readonly until: number;
}

/** Served with a policy that runs no script, also in an SVG. */
const types = /^image\/(?:png|jpeg|gif|webp|avif|svg\+xml|x-icon|vnd\.microsoft\.icon)$/;
const maxBytes = 256 * 1024;
/** At most twice as many are kept: 16 MB at the very most. */
const keptMax = 32;
/** In seconds. */
const [goodFor, badFor] = [3600, 60];
/** Fetches in a minute: for one caller's network, and in all. */
const limits = { network: 100, all: 1000 };

export function createClientLogos(deps: { readonly outgoing: Outgoing; readonly throttle: Throttle }): ClientLogos {
  const kept = createLru<Kept>(keptMax);
  const fetches = new Map<string, Promise<Logo | undefined>>();

  async function fetched(url: string, reviewed: boolean): Promise<Logo | undefined> {
    const headers = { accept: 'image/*' };
    const answer = await deps.outgoing.fetch({ url, purpose: 'logo', reviewed, headers, maxBytes });
    if (answer.outcome !== 'answered' || answer.status !== 200 || answer.body.length === 0) return undefined;
    const type = (answer.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    return types.test(type) ? { type, body: answer.body } : undefined;
  }

  async function fetchAndKeep(key: string, url: string, reviewed: boolean): Promise<Logo | undefined> {
    const logo = await fetched(url, reviewed);
    kept.set(key, { logo, until: nowSeconds() + (logo ? goodFor : badFor) });
    return logo;
  }

  return {
    async find({ metadata, reviewedAt }, address) {
      const { logo_uri: url } = metadata;
      if (typeof url !== 'string') return undefined;
      const reviewed = reviewedAt !== null;
      const key = `${reviewed} ${url}`;
      const known = kept.get(key);
      if (known && nowSeconds() < known.until) return known.logo;
      const running = fetches.get(key);
      if (running !== undefined) return running;
      const keys = [
        { key: `logos-for:${addressNetwork(address)}`, limit: limits.network },
        { key: 'logos', limit: limits.all },
      ];
      if (!(await deps.throttle.attempt(keys, 60)).allowed) return known?.logo;
      const fetching = fetches.get(key) ?? fetchAndKeep(key, url, reviewed).finally(() => fetches.delete(key));
      fetches.set(key, fetching);
      return fetching;
    },
  };
}
