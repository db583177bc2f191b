/**
 * When the user is asked, and what a remembered consent allows.
 *
 * Consent is remembered per user and application, apart from the grants. Each browser session has its own grant for a
 * client, so that the end of one grant (a replayed token, a signed-out browser) does not end the others.
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
  // First of all prompts (OpenID Connect Core, section 3.1.2.1). Only the request itself asks for it, and for `create`.
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  // If sign-up is closed, `create` is refused like any unknown value (Initiating User Registration via OpenID Connect
  // 1.0).
  if (deps.config.signUp === 'open') policy.add(new interactionPolicy.Prompt({ name: 'create', requestable: true }), 0);
  // A person who answers for a device wants another account. The request itself cannot ask for it there.
  policy
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check('sign_in_again', 'the user asks for another sign-in', 'login_required', ({ oidc }) =>
        oidc.result?.signInAgain === true ? oidc.result.login === undefined : false,
      ),
    );
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
 * As the engine's check, except for optional scopes that the user has just declined: the next request asks for them
 * again, so the grant must not keep them as rejected.
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

/** API -> declined scopes, from `pages/consent/consent`. */
function declinedIn(result: InteractionResults | undefined): Readonly<Record<string, readonly string[]>> {
  return (result?.consent?.declined ?? {}) as Record<string, readonly string[]>;
}

/**
 * Public and unreviewed clients need PKCE, and all clients with `all`. Reviewed confidential clients follow their own
 * rule, as do all confidential ones on behalf of a user: no browser carries that code.
 */
export function pkceRequired(rule: 'public' | 'all') {
  return (ctx: KoaContextWithOIDC, client: Client): boolean => {
    const asking = onBehalfOf(ctx);
    // Before any mistake of the request, because fixing one would not help.
    if (asking) requireOwnApplication(ctx);
    // Clients registered earlier may have no `require_pkce`; undefined requires PKCE.
    if (client.clientAuthMethod === 'none' || client.require_pkce !== false) return true;
    return asking === undefined && (rule === 'all' || client.reviewed !== true);
  };
}

export function loadExistingGrant({ consents, ...deps }: BearerConsentDeps & { readonly consents: ConsentStore }) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const asking = onBehalfOf(ctx);
    if (asking) {
      checkBearerConsent(ctx, deps);
      // If no scope is left, the application gets an error with the reason.
      refuseUnlessOffered(ctx, deps);
      return grantOnBehalf(ctx, asking);
    }
    const { oidc } = ctx;
    const { client, session } = oidc;
    const subject = session?.accountId;
    if (!client || !session || !subject) return undefined;

    if (!(await isAsShown(consents, subject, client))) return undefined;
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

/** False: the person consented to another document, so an earlier consent and its grants do not count. */
async function isAsShown(
  consents: Pick<ConsentStore, 'find'>,
  subject: string,
  { clientId, document_snapshot: snapshot }: Client,
): Promise<boolean> {
  if (typeof snapshot !== 'string') return true;
  const consent = await orUnavailable(() => consents.find(subject, clientId));
  return consent === undefined || consent.snapshot === snapshot;
}

const ours: Asked = { scopes: ['openid'], claims: [], resources: {} };

/** The one grant of this session and client, as in a browser, extended by what the request asks for. */
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
