/** The parts of core that the protocol uses, and the events that it reports to core. */
import { refreshReuseSeconds } from '../core/clients/metadata/refresh-reuse.ts';
import type { Core } from '../core/core.ts';
import { createFactorOffer } from '../core/factors/factor-offer.ts';
import type { IsDeveloper } from '../http/developer.ts';
import type { ProtocolEvents, ProtocolPages } from './ports.ts';

export type ProtocolDeps = ReturnType<typeof protocolDeps>;

export function protocolDeps(core: Core, pages: ProtocolPages, isDeveloper: IsDeveloper) {
  const { config, secrets, stores } = core;
  const { engine, accounts, groups, consents } = stores;
  return {
    ...core,
    engine,
    accounts,
    groups,
    consents,
    clients: core.cached,
    issuer: config.issuer,
    secretKey: secrets.secretKey,
    userApi: `${config.issuer}/user`,
    /** The registered client IDs that a wrong ID may stand for. */
    async clientIdsNear(id: string): Promise<readonly string[]> {
      const near = await Promise.all(['', id.slice(0, 3)].map((after) => stores.clients.list(after, 100)));
      return near.flat().map((client) => client.id);
    },
    /** The cookie value of an API session, which has no cookie. */
    sessionValue: core.sessions.valueOf,
    seen: core.activity.seen,
    reuseWindowOf: async (clientId: string | null) =>
      refreshReuseSeconds(
        clientId === null ? undefined : await core.cached.find(clientId),
        config.lifetimes.clientRefreshReuse,
      ),
    factorOffer: createFactorOffer(stores),
    events: createEvents(core),
    pages,
    /** Whose refused requests are answered with all known facts. */
    isDeveloper,
  };
}

function createEvents({ audit, unprotected, deviceCodes, accessLetters }: Core): ProtocolEvents {
  return {
    unprotected: unprotected.note,
    replayed({ grantId, kind, ...about }) {
      audit.note('grant.replayed', { ...about, detail: { grantId, kind } });
      const { subject, clientId, caller } = about;
      if (kind === 'refresh_token' && subject !== undefined && clientId !== undefined)
        accessLetters.replayed({ subject, clientId, caller });
    },
    shared({ grantId, kind: _kind, shared, ...about }) {
      const detail = { grantId, times: shared.repeats + 1, second_network: shared.elsewhere };
      audit.note('grant.shared', { ...about, detail });
    },
    outdated: (subject, clientId) =>
      audit.note('session.ended', { subject, clientId, detail: { via: 'browser', password_changed: true } }),
    signedOut: (subject, clientId) => audit.note('sign_out', { subject, clientId }),
    deviceDecided: deviceCodes.decided,
    allowed: (consent) => audit.record('consent.granted', consent),
    allowedByPolicy: (consent) => audit.record('consent.by_policy', consent),
  };
}
