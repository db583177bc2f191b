/** The parts of core that the protocol uses, and the events that it reports to core. */
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
    factorOffer: createFactorOffer(stores),
    events: createEvents(core),
    pages,
    /** Whose refused requests are answered with all known facts. */
    isDeveloper,
  };
}

function createEvents({ audit, unprotected, deviceCodes }: Core): ProtocolEvents {
  return {
    unprotected: unprotected.note,
    replayed: (grantId, clientId, subject) => audit.note('grant.replayed', { clientId, subject, detail: { grantId } }),
    outdated: (subject, clientId) =>
      audit.note('session.ended', { subject, clientId, detail: { via: 'browser', password_changed: true } }),
    signedOut: (subject, clientId) => audit.note('sign_out', { subject, clientId }),
    deviceDecided: deviceCodes.decided,
    allowed: (consent) => audit.record('consent.granted', consent),
    allowedByPolicy: (consent) => audit.record('consent.by_policy', consent),
  };
}
