/**
 * Providers with many tenants behind one address (Microsoft Entra's `common` and `organizations`). Their document names
 * an issuer with `{tenantid}`, and each ID token names that of its tenant. The rule here: the token's `iss` is the
 * template of the file with the token's own `tid`, and the file allows that tenant. Signatures are checked with the
 * keys of the document.
 */
import type { Configuration, customFetch } from 'openid-client';
import { carefulFetch, timeoutSeconds } from './careful-fetch.ts';
import { ProviderError } from './failure.ts';
import type { Tenants } from './settings.ts';
import { tenantPart, tenantShape } from './tenant-rules.ts';

type Library = typeof import('openid-client');
export type GrantChecks = Parameters<Library['authorizationCodeGrant']>[2];
type Fetch = NonNullable<Configuration[typeof customFetch]>;

/** The document of such a provider; its issuer must be the template of the file. */
export async function tenantsDocument(issuer: string, { template }: Tenants): Promise<Record<string, unknown>> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  const response = await carefulFetch(address, { headers: { accept: 'application/json' }, signal });
  if (response.status >= 500)
    throw new ProviderError(`the provider's document is answered with ${response.status}`, 'unavailable');
  const document: unknown = response.status === 200 ? await response.json().catch(() => undefined) : undefined;
  if (typeof document !== 'object' || document === null) throw new ProviderError("there is no provider's document");
  if (Reflect.get(document, 'issuer') !== template)
    throw new ProviderError('the issuer in the provider’s document is not the issuer_template in UPSTREAMS');
  return document as Record<string, unknown>;
}

/**
 * The library compares with one issuer, but only the response names the tenant. So one configuration redeems the code
 * and stops at the response; a second one, for the tenant in it, checks the unchanged response.
 */
export async function grantOfTenant(
  library: Library,
  { tenants, configure }: { readonly tenants: Tenants; readonly configure: (issuer: string) => Configuration },
  url: URL,
  checks: GrantChecks,
) {
  let answer: Response | undefined;
  const asking = configure(tenants.template);
  asking[library.customFetch] = (async (address: string, options: object) => {
    answer = await carefulFetch(address, options);
    throw new Error('that is all for now');
  }) as Fetch;
  const bare = new URL(url);
  // The second configuration checks `iss`.
  if (bare.searchParams.has('iss')) bare.searchParams.set('iss', tenants.template);
  try {
    await library.authorizationCodeGrant(asking, bare, checks);
  } catch (error) {
    if (answer === undefined) throw error;
  }
  const kept = answer as Response;
  const tenant = tenantIn(
    await kept
      .clone()
      .json()
      .catch(() => undefined),
  );
  if (tenant !== undefined && !isAllowed(tenants, tenant))
    throw new ProviderError('the tenant is none that UPSTREAMS allows');
  const answering = configure(tenant === undefined ? tenants.template : issuerOf(tenants, tenant));
  const { token_endpoint: endpoint } = answering.serverMetadata();
  answering[library.customFetch] = (async (address: string, options: object) =>
    address === endpoint ? kept.clone() : carefulFetch(address, options)) as Fetch;
  const tokens = await library.authorizationCodeGrant(answering, url, checks);
  if (tenant === undefined) throw new ProviderError('the ID token names no tenant');
  return { tokens, configuration: answering, tenant };
}

const issuerOf = ({ template }: Tenants, tenant: string): string => template.replace(tenantPart, tenant);

function isAllowed({ allowed }: Tenants, tenant: string): boolean {
  return tenantShape.test(tenant) && (allowed === 'any' || allowed.includes(tenant.toLowerCase()));
}

/** The tenant in the response, not yet checked. */
function tenantIn(answer: unknown): string | undefined {
  const token: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'id_token') : undefined;
  if (typeof token !== 'string') return undefined;
  try {
    const { tid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return typeof tid === 'string' ? tid : undefined;
  } catch {
    return undefined;
  }
}
