/**
 * The clients' own JWTs that were revoked. They hang on no grant that could be ended, and looking at one costs no read:
 * so all of those that were ended and have not expired are in memory, on every node, by way of the change log. A look
 * at a token asks for its client first (core/clients/cached-clients), which waits until the log was read less than a
 * second ago.
 */
import { nowSeconds } from '../../base/clock.ts';
import type { ChangeLog } from '../changes/change-log.ts';
import type { EndedToken, EndedTokenStore } from '../stores/ended-tokens.ts';

/** Live ones of one client: about a megabyte of memory, and 16 a second where tokens live for ten minutes. */
const endedTokensMax = 10_000;

export interface EndedTokens {
  has(clientId: string, jti: string): boolean;
  /** Here at once, on every node within a second. `full`: the client has as many as it may. Throws `Unavailable`. */
  end(token: EndedToken): Promise<'ended' | 'full'>;
}

export function createEndedTokens(deps: {
  readonly store: EndedTokenStore;
  readonly changes: Pick<ChangeLog, 'follow' | 'changed'>;
  /** Live ones of one client. */
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
