/**
 * When a person is asked, and what a remembered consent is worth.
 *
 * Consent is remembered per person and application, apart from the grants: each browser session has a grant of its own
 * for a client, so that the end of one (a replayed token, a signed-out browser) does not end the others.
 */
import { type Grant, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import type { ConsentRow, ConsentStore } from '../core/stores.ts';
import { orUnavailable } from './unavailable.ts';

/**
 * Whoever can listen on a loopback port or claim a private-use scheme can pose as this application, so stored consent alone is
 * no answer there (RFC 8252, section 8.6; security.md A10). An https address is the application's own.
 */
export function interactions() {
  const policy = interactionPolicy.base();
  const consent = policy.get('consent');
  consent?.checks.remove('native_client_prompt');
  consent?.checks.add(
    new interactionPolicy.Check(
      'unproven_redirect_uri',
      'the application cannot be told from others on the same device',
      'interaction_required',
      ({ oidc }) => !String(oidc.params?.redirect_uri).startsWith('https:') && !oidc.result?.consent,
    ),
    0,
  );
  return policy;
}

export function loadExistingGrant(consents: ConsentStore) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { oidc } = ctx;
    const { client, session } = oidc;
    const subject = session?.accountId;
    if (!client || !session || !subject) return undefined;

    const grantId = oidc.result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    const grant = grantId === undefined ? undefined : await oidc.provider.Grant.find(grantId);
    if (grant) return grant;

    const consent = await orUnavailable(() => consents.find(subject, client.clientId));
    if (!consent) return undefined;
    const fresh = new oidc.provider.Grant({ accountId: subject, clientId: client.clientId });
    addConsent(fresh, consent);
    await fresh.save();
    return fresh;
  };
}

export function addConsent(grant: Grant, consent: Pick<ConsentRow, 'scopes' | 'claims' | 'resources'>): void {
  if (consent.scopes.length > 0) grant.addOIDCScope(consent.scopes.join(' '));
  if (consent.claims.length > 0) grant.addOIDCClaims([...consent.claims]);
  for (const [api, scopes] of Object.entries(consent.resources)) {
    if (scopes.length > 0) grant.addResourceScope(api, scopes.join(' '));
  }
}
