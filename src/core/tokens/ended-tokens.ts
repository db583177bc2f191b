/**
 * Revoked JWTs of clients without a user. They belong to no grant that could end, and a check must cost no read. So
 * each node keeps all revoked and unexpired ones in memory, by means of the change log. A check first finds the client
 * (core/clients/cached-clients), which waits until the change log is less than a second old.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { EndedToken, EndedTokenStore } from '../stores/ended-tokens.ts';

/** Unexpired ones per client: about a megabyte of memory, and 16 a second if tokens live for ten minutes. */
const endedTokensMax = 10_000;

export interface EndedTokens {
  has(clientId: string, jti: string): boolean;
  /**
   * Effective here at once, on every node within a second. `full`: the client is at its limit. Throws `Unavailable`.
   */
  end(token: EndedToken): Promise<'ended' | 'full'>;
}

export function createEndedTokens(deps: {
  readonly store: EndedTokenStore;
  readonly changes: Pick<ChangeLog, 'follow' | 'changed'>;
  /** Unexpired ones per client. */
  readonly most?: number;
}): EndedTokens {
  const { store, changes, most = endedTokensMax } = deps;
  const nameOf = (clientId: string, jti: string) => `${clientId} ${jti}`;
  let ended = new Map<string, number>();
  let all: readonly EndedToken[] = [];

  function keep({ clientId, jti, until }: EndedToken): void {
    ended.set(nameOf(clientId, jti), until);
  }

  changes.follow({
    kinds: ['token'],
    async prepare(news) {
      if (news === undefined) all = await store.list(nowSeconds());
    },
    take(news) {
      if (news === undefined) {
        ended = new Map();
        for (const token of all) keep(token);
        all = [];
      }
      const now = nowSeconds();
      for (const [name, until] of ended) if (until <= now) ended.delete(name);
      for (const { id } of news ?? []) {
        const [clientId = '', jti = '', until] = id.split(' ');
        keep({ clientId, jti, until: Number(until) });
      }
    },
  });

  return {
    has: (clientId, jti) => ended.has(nameOf(clientId, jti)),
    async end(token) {
      if ((await store.put(token, most)) === 'full') return 'full';
      await changes.changed();
      return 'ended';
    },
  };
}
