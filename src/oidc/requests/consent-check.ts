/** When the user is asked for consent, besides the engine's own reasons (new scopes and claims). */
import { type Client, type Grant, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider';
import { nowSeconds } from '../../base/clock.ts';
import { isLoopbackHost } from '../../base/loopback.ts';
import { accountClient } from '../../core/clients/account-client.ts';
import { type Asked, mergedConsent } from '../../core/clients/consent-policy.ts';
import type { AuditFields } from '../../core/kernel/audit.ts';
import type { ConsentStore } from '../../core/stores/consents.ts';
import { callerOf } from '../../http/caller.ts';
import { orUnavailable } from '../adapter/adapter.ts';
import { currentUnit } from '../request-unit.ts';
import { scopeClaims } from '../tokens/claims.ts';
import { onBehalfOf } from './on-behalf.ts';

export interface ConsentDeps {
  readonly consents: ConsentStore;
  /** An application got something without a question. Resolves after the event is stored. */
  readonly allowedByPolicy: (consent: AuditFields) => Promise<void>;
}

const { Check, Prompt } = interactionPolicy;

/** Adds checks and a prompt around the engine's own prompt `consent`. */
export function demandConsent(policy: ReturnType<typeof interactionPolicy.base>, deps: ConsentDeps): void {
  const consent = policy.get('consent');
  // The check below considers what authenticates an application, not its registered type.
  consent?.checks.remove('native_client_prompt');
  const [unproven, always] = [
    new Check(
      'unproven_redirect_uri',
      'the application cannot be told from others on the same device',
      'interaction_required',
      (ctx) => isAsked(ctx) && !isRemembered(ctx),
    ),
    new Check(
      'always_asked',
      'the client asks for consent at each authorization',
      'consent_required',
      (ctx) => isAsked(ctx) && ctx.oidc.client?.consent === 'always',
    ),
  ];
  consent?.checks.add(always, 0);
  consent?.checks.add(unproven, 0);
  // Shows nothing. Runs before `consent`, but after all prompts that identify the user: only then may it grant.
  const given = new Check('consent_never', 'consent is never asked, so the request is granted', async (ctx) => {
    await giveByPolicy(ctx, deps);
    return false;
  });
  const at = policy.findIndex(({ name }) => name === 'consent');
  policy.add(new Prompt({ name: 'consent-by-policy' }, given), at);
}

/** This server's own pages: they are at its own address, and ask only for a sign-in. */
export function isOurs({ oidc }: KoaContextWithOIDC): boolean {
  return oidc.client?.clientId === accountClient;
}

function isAsked(ctx: KoaContextWithOIDC): boolean {
  return !ctx.oidc.result?.consent && !isOurs(ctx) && !onBehalfOf(ctx);
}

/**
 * Another program can pose as this application on a loopback port or a private-use scheme (RFC 8252, section 8.6;
 * security.md A10). An https address or client authentication rules this out.
 */
function isRemembered({ oidc }: KoaContextWithOIDC): boolean {
  const { client, params } = oidc;
  if (client?.reviewed === true && client.clientAuthMethod !== 'none') return true;
  const url = URL.parse(String(params?.redirect_uri));
  return url?.protocol === 'https:' && !isLoopbackHost(url.hostname);
}

/** Consent `never` applies to reviewed clients, and only where remembered consent would. */
async function giveByPolicy(ctx: KoaContextWithOIDC, deps: ConsentDeps): Promise<void> {
  const { client, session, grant, prompts, account } = ctx.oidc;
  if (client?.consent !== 'never' || client.reviewed !== true || !isAsked(ctx) || !isRemembered(ctx)) return;
  if (!session || !grant || !account || prompts.has('consent')) return;
  const asked = missingIn(grant, ctx);
  if (asked === undefined || asked.claims.some((claim) => !isRegisteredFor(client, claim))) return;

  const of = { subject: account.accountId, clientId: client.clientId };
  const { scopes, resources } = asked;
  await orUnavailable(async () => {
    const before = await deps.consents.find(of.subject, of.clientId);
    await deps.consents.put(mergedConsent(of, before, asked, nowSeconds()));
    await deps.allowedByPolicy({ ...of, caller: callerOf(ctx), detail: { scopes, resources } });
  });
  addConsent(grant, asked);
  const known = session.grantIdFor(of.clientId);
  const id = await grant.save();
  if (known === id) return;
  session.ensureClientContainer(of.clientId);
  session.grantIdFor(of.clientId, id);
  restOnConsent(id);
}

/** If a client has a registered `scope`, policy grants it only claims that these scopes release. */
function isRegisteredFor({ registered_scope: scope }: Client, claim: string): boolean {
  if (typeof scope !== 'string') return true;
  const ofScopes: Readonly<Record<string, readonly string[]>> = scopeClaims;
  return scope.split(' ').some((name) => ofScopes[name]?.includes(claim));
}

/** The grant depends on the consent, which the user may revoke during this request. */
export function restOnConsent(grantId: string): void {
  const unit = currentUnit();
  const row = unit?.grants.get(grantId);
  if (row) unit?.grants.set(grantId, { ...row, rests: 'consent' });
}

interface Missing extends Asked {
  readonly scopes: string[];
  readonly claims: string[];
  readonly resources: Record<string, string[]>;
}

/** The parts of the request that the grant lacks; undefined if there are none. */
export function missingIn(grant: Grant, { oidc }: KoaContextWithOIDC): Missing | undefined {
  const resources = Object.entries(oidc.resourceServers ?? {}).map(([api, { scopes }]): [string, string[]] => {
    const wanted = [...oidc.requestParamScopes].filter((scope) => scopes.has(scope));
    return [api, without(wanted, grant.getResourceScopeEncountered(api).split(' '))];
  });
  const missing = {
    scopes: without(oidc.requestParamOIDCScopes, grant.getOIDCScopeEncountered().split(' ')),
    claims: without(oidc.requestParamClaims, grant.getOIDCClaimsEncountered()),
    resources: Object.fromEntries(resources.filter(([, names]) => names.length > 0)),
  };
  const nothing = missing.scopes.length + missing.claims.length + Object.keys(missing.resources).length === 0;
  return nothing ? undefined : missing;
}

function without(wanted: Iterable<string>, known: readonly string[]): string[] {
  return [...wanted].filter((name) => !known.includes(name));
}

/** Removes scopes from the grant that were allowed earlier. */
export function removeConsent(grant: Grant, declined: Readonly<Record<string, readonly string[]>>): void {
  for (const [api, scopes] of Object.entries(declined)) {
    const left = without(grant.getResourceScope(api).split(' '), scopes).join(' ');
    if (grant.resources?.[api] !== undefined) grant.resources[api] = left;
  }
}

export function addConsent(grant: Grant, consent: Asked): void {
  if (consent.scopes.length > 0) grant.addOIDCScope(consent.scopes.join(' '));
  if (consent.claims.length > 0) grant.addOIDCClaims([...consent.claims]);
  for (const [api, scopes] of Object.entries(consent.resources)) {
    if (scopes.length > 0) grant.addResourceScope(api, scopes.join(' '));
  }
}
