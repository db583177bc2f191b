/** Sessions begun through an API, by a person or by a program of its own, and the look at a token that somebody presents. */
import type { Accounts } from '../core/accounts/accounts.ts';
import { createApiSessions } from '../core/api-sessions/api-sessions.ts';
import { createClientSessions } from '../core/api-sessions/client-sessions.ts';
import type { KnownBrowsers } from '../core/known-browsers/known-browsers.ts';
import type { SignIn } from '../core/sign-in/sign-in.ts';
import { createEndedTokens } from '../core/tokens/ended-tokens.ts';
import { createTokens } from '../core/tokens/tokens.ts';
import type { Infrastructure } from './infrastructure.ts';

export function composeApiSessions(
  { config, stores, audit, credentials, cached, changes, keys, activity, sessions }: Infrastructure,
  {
    accounts,
    knownBrowsers,
    signIn,
  }: { readonly accounts: Accounts; readonly knownBrowsers: KnownBrowsers; readonly signIn: SignIn },
) {
  const apiSessions = createApiSessions({
    signIn,
    sessions,
    accounts,
    accountStore: stores.accounts,
    engine: stores.engine,
    activity,
    knownBrowsers,
    keys,
    settings: {
      issuer: config.issuer,
      lifetimes: {
        identity: { token: config.lifetimes.identityToken, session: config.lifetimes.identitySession },
        'security-service': {
          token: config.lifetimes.securityServiceToken,
          session: config.lifetimes.securityServiceToken,
        },
        tinyoauth: { token: config.lifetimes.tinyoauthToken, session: config.lifetimes.tinyoauthToken },
      },
      refreshing: ['identity'],
      reuseWindow: config.lifetimes.refreshReuseWindow,
      secondFactor: config.secondFactor,
    },
  });
  const clientSessions = createClientSessions({
    clients: cached,
    credentials,
    sessions,
    engine: stores.engine,
    activity,
    keys,
    audit,
    settings: {
      issuer: config.issuer,
      accessToken: config.lifetimes.spaceGuardToken,
      refreshToken: config.lifetimes.spaceGuardRefresh,
    },
  });
  const tokens = createTokens({
    keys,
    engine: stores.engine,
    clients: cached,
    ended: createEndedTokens({ store: stores.endedTokens, changes }),
    issuer: config.issuer,
    sessionLimits: config.lifetimes,
    seen: activity.seen,
  });
  return { apiSessions, clientSessions, tokens };
}
