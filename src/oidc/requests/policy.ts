/**
 * When a person is asked, and what a remembered consent is worth.
 *
 * Consent is remembered per person and application, apart from the grants: each browser session has a grant of its own
 * for a client, so that the end of one (a replayed token, a signed-out browser) does not end the others.
 */
import {
  type Client,
  type Grant,
  type InteractionResults,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { Asked } from '../../core/clients/consent-policy.ts';
import type { ConsentStore } from '../../core/stores/consents.ts';
import { orUnavailable } from '../adapter/adapter.ts';
import { currentUnit } from '../request-unit.ts';
import { type AssuranceDeps, demandAssurance } from './assurance.ts';
import { type BearerConsentDeps, checkBearerConsent, requireOwnApplication } from './bearer-consent.ts';
import { addConsent, type ConsentDeps, demandConsent, isOurs, missingIn, restOnConsent } from './consent-check.ts';
import { type OnBehalf, onBehalfOf } from './on-behalf.ts';
import { dropOfflineAccess, refuseUnlessOffered } from './requested-scopes.ts';

interface InteractionDeps extends AssuranceDeps, ConsentDeps {
  readonly config: AssuranceDeps['config'] & { readonly signUp: 'open' | 'invite' | 'off' };
}

export function interactions(deps: InteractionDeps) {
  const policy = interactionPolicy.base();
  // Before anything else (OpenID Connect Core, section 3.1.2.1). Nothing but the request itself asks for these.
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  // Where sign-up is closed it is refused as any unknown value (Initiating User Registration via OpenID Connect 1.0).
  if (deps.config.signUp === 'open') policy.add(new interactionPolicy.Prompt({ name: 'create', requestable: true }), 0);
  demandAssurance(policy, deps);
  demandConsent(policy, deps);
  const consent = policy.get('consent');
  consent?.checks.remove('rs_scopes_missing');
  consent?.checks.add(
    new interactionPolicy.Check('rs_scopes_missing', 'requested scopes not granted', 'consent_required', scopesMissing),
  );
  return policy;
}

/**
 * As the engine has it, but for optional scopes that the person has just left out: these are asked for again with the next request,
 * so the grant must not keep them as refused.
 */
function scopesMissing({ oidc }: KoaContextWithOIDC): boolean {
  const declined = declinedIn(oidc.result);
  return Object.entries(oidc.resourceServers ?? {}).some(([api, { scopes }]) => {
    const known = oidc.grant?.getResourceScope(api).split(' ') ?? [];
    return [...oidc.requestParamScopes].some(
      (scope) => scopes.has(scope) && !known.includes(scope) && !declined[api]?.includes(scope),
    );
  });
}

/** API -> scopes. By `pages/consent/consent`. */
function declinedIn(result: InteractionResults | undefined): Readonly<Record<string, readonly string[]>> {
  return (result?.consent?.declined ?? {}) as Record<string, readonly string[]>;
}

/**
 * Every public client and every unreviewed one needs PKCE, and with `all` every client. A reviewed one that authenticates has its
 * own rule, and so has any that authenticates where a program asks in a person's place, whatever the server's rule is: no browser
 * carries the code (contracts: tinyoauth).
 */
export function pkceRequired(rule: 'public' | 'all') {
  return (ctx: KoaContextWithOIDC, client: Client): boolean => {
    const asking = onBehalfOf(ctx);
    // Before the request's own mistakes: none of them could be mended.
    if (asking) requireOwnApplication(ctx);
    // A client from before has no such member where PKCE was due from it.
    if (client.clientAuthMethod === 'none' || client.require_pkce !== false) return true;
    return asking === undefined && (rule === 'all' || client.reviewed !== true);
  };
}

export function loadExistingGrant({ consents, ...deps }: BearerConsentDeps & { readonly consents: ConsentStore }) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const asking = onBehalfOf(ctx);
    if (asking) {
      checkBearerConsent(ctx, deps);
      // Where nothing is left the application should hear why.
      refuseUnlessOffered(ctx, deps);
      return grantOnBehalf(ctx, asking);
    }
    const { oidc } = ctx;
    const { client, session } = oidc;
    const subject = session?.accountId;
    if (!client || !session || !subject) return undefined;

    const grantId = oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    const grant = grantId === undefined ? undefined : await oidc.provider.Grant.find(grantId);
    if (grant) {
      dropOfflineAccess(ctx, grant.getOIDCScope());
      return grant;
    }

    const consent = isOurs(ctx) ? ours : await orUnavailable(() => consents.find(subject, client.clientId));
    if (!consent) return undefined;
    dropOfflineAccess(ctx, consent.scopes.join(' '));
    const fresh = new oidc.provider.Grant({ accountId: subject, clientId: client.clientId });
    addConsent(fresh, consent);
    const id = await fresh.save();
    if (consent !== ours) restOnConsent(id);
    return fresh;
  };
}

const ours: Asked = { scopes: ['openid'], claims: [], resources: {} };

/** The grant of this session and client, with whatever the request asks for. One for all requests, as in a browser. */
async function grantOnBehalf(ctx: KoaContextWithOIDC, asking: OnBehalf): Promise<Grant | undefined> {
  const { oidc } = ctx;
  const { client, session, provider } = oidc;
  if (!client || session?.accountId === undefined) return undefined;
  const known = session.grantIdFor(client.clientId);
  const before = known === undefined ? undefined : await provider.Grant.find(known);
  const grant = before ?? new provider.Grant({ accountId: session.accountId, clientId: client.clientId });

  const asked = missingIn(grant, ctx);
  if (asked === undefined) return before;
  addConsent(grant, asked);
  await grant.save();
  const via = currentUnit()?.reads.sessionsByUid.get(session.uid)?.origin.door ?? '';
  asking.allowed = { clientId: client.clientId, detail: { via, scopes: asked.scopes, resources: asked.resources } };
  return grant;
}
