/** The protocol, and the clients that it serves. */
import { createClients } from '../core/clients/clients.ts';
import type { Core } from '../core/core.ts';
import { createFactorOffer } from '../core/factors/factor-offer.ts';
import type { IsDeveloper } from '../http/developer.ts';
import type { ProtocolPages } from '../oidc/ports.ts';
import { createProtocol } from '../oidc/provider.ts';

export function composeProtocol(core: Core) {
  const { config, secrets, metrics, stores, audit, activity } = core;

  /** The protocol, whose pages differ between the server and the command line (which shows none). */
  const protocolWith = (pages: ProtocolPages, isDeveloper: IsDeveloper = () => false) =>
    createProtocol({
      ...core,
      issuer: config.issuer,
      userApi: `${config.issuer}/user`,
      engine: stores.engine,
      groups: stores.groups,
      accounts: stores.accounts,
      consents: stores.consents,
      clients: core.cached,
      clientIdsNear: async (id) => {
        const near = await Promise.all(['', id.slice(0, 3)].map((after) => stores.clients.list(after, 100)));
        return near.flat().map((client) => client.id);
      },
      isDeveloper,
      pages,
      sessionValue: core.sessions.valueOf,
      seen: activity.seen,
      events: {
        issued(grantType, clientId, subject) {
          metrics.count('tokens_issued_total', { grant_type: grantType, kind: 'access_token' });
          if (subject !== undefined) activity.used(subject, clientId);
        },
        unprotected: core.unprotected.note,
        replayed: (grantId, clientId, subject) =>
          audit.note('grant.replayed', { clientId, subject, detail: { grantId } }),
        outdated: (subject, clientId) =>
          audit.note('session.ended', { subject, clientId, detail: { via: 'browser', password_changed: true } }),
        signedOut: (subject, clientId) => audit.note('sign_out', { subject, clientId }),
        allowed: (consent) => audit.record('consent.granted', consent),
        allowedByPolicy: (consent) => audit.record('consent.by_policy', consent),
      },
      factorOffer: createFactorOffer(stores),
      settings: {
        secondFactor: config.secondFactor,
        requirePkce: config.requirePkce,
        signUp: config.signUp === 'open',
        secretKey: secrets.secretKey,
        jwksMaxAge: config.keys.jwksMaxAge,
        lifetimes: { ...config.lifetimes, reuseWindow: config.lifetimes.refreshReuseWindow },
      },
    });

  /** Clients are checked by the engine that will serve them. */
  const clientsWith = (protocol: ReturnType<typeof createProtocol>) =>
    createClients({
      store: stores.clients,
      changes: core.changes,
      checkWithEngine: protocol.checkMetadata,
      secretOverlapSeconds: config.lifetimes.clientSecretOverlap,
      ownNames: [config.brandName, ...hostNames(config.issuer)],
    });

  return { protocolWith, clientsWith };
}

/** Of an IPv6 address no one would read the digits as a name. */
function hostNames(issuer: string): string[] {
  const { hostname } = new URL(issuer);
  return hostname.startsWith('[') ? [] : [hostname];
}
