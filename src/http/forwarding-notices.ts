/**
 * One line each, and no more for as long as the process runs: forwarding headers from a peer that `TRUST_PROXY` does
 * not name, and a trusted proxy that does not say whom it forwards. Both make strangers share one limit, or worse, and
 * neither fails by itself.
 */
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../base/log.ts';

export interface ForwardingNotices {
  /** `trusted`: whether `TRUST_PROXY` names the peer. The headers must be the caller's own still. */
  look(req: IncomingMessage, peer: string, trusted: boolean): void;
}

const claims = ['x-forwarded-for', 'forwarded', 'x-forwarded-proto', 'x-forwarded-host', 'x-real-ip'] as const;
const shownMax = 200;

/** What a load balancer or a monitor asks on its own behalf. */
const ownQuestion = /^\/(healthz|readyz|metrics)(\?|$)/;

export function createForwardingNotices(log: Logger): ForwardingNotices {
  let [ignored, silent] = [false, false];

  function saidIn({ headers }: IncomingMessage): Record<string, string> {
    const said = claims.filter((name) => headers[name] !== undefined);
    return Object.fromEntries(said.map((name) => [name, String(headers[name]).slice(0, shownMax)]));
  }

  return {
    look(req, peer, trusted) {
      if (!trusted) {
        if (ignored || !claims.some((name) => req.headers[name] !== undefined)) return;
        ignored = true;
        log.warn(
          { peer, said: saidIn(req), setting: 'TRUST_PROXY' },
          'forwarding headers are ignored, because TRUST_PROXY does not name the peer that sent them: if it is your proxy, name it there; if not, a caller has made them up. This is said once',
        );
        return;
      }
      if (silent || req.headers['x-forwarded-for'] || ownQuestion.test(req.url ?? '')) return;
      silent = true;
      log.warn(
        { peer, said: saidIn(req), setting: 'TRUST_PROXY' },
        'a proxy that TRUST_PROXY names sends no X-Forwarded-For, so its own address counts for all its callers: have it send one, or take it out of TRUST_PROXY. This is said once',
      );
    },
  };
}
