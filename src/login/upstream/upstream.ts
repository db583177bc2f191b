/**
 * Providers that prove people, by `openid-client`: any OpenID Connect provider by discovery, and OAuth 2 ones that tell who holds a
 * token. The library is loaded, and a provider first spoken to, when somebody signs in through one: while a provider is away this
 * server starts and works as ever.
 *
 * PKCE (S256) and a state always, a nonce and the signature of the ID token with OpenID Connect; `iss` of the answer is compared
 * where it comes (RFC 9207). Addresses are those of the settings or of the configured issuer's own document; https, or loopback
 * where the settings say so.
 */
import type { ClientAuth, Configuration, ServerMetadata } from 'openid-client';
import { nowMs } from '../../base/clock.ts';
import type { UpstreamProvider, UpstreamRequest } from '../../core/upstream/upstream-provider.ts';
import { carefulFetch, timeoutSeconds } from './careful-fetch.ts';
import { listedEmail } from './emails.ts';
import { failureOf, ProviderError } from './failure.ts';
import { otherIssuer } from './other-issuer.ts';
import { type Claims, personOf, subjectOf } from './person.ts';
import { isLoopback, type UpstreamSettings } from './settings.ts';
import { tenantPart } from './tenant-rules.ts';
import { type GrantChecks, grantOfTenant, tenantsDocument } from './tenants.ts';
import { userinfoOf } from './userinfo.ts';

type Library = typeof import('openid-client');

const whenItWas = JSON.stringify({ id_token: { auth_time: { essential: true } } });

/** With a `max_age` a provider has to say when the person signed in (OpenID Connect Core, section 2); a year makes nobody do it again. */
const anyAge = 31_536_000;

/** How long a provider's document is good. Its keys are looked for anew by themselves. */
const documentMs = 3_600_000;

export function createUpstreamProvider(settings: UpstreamSettings): UpstreamProvider {
  const expectedIssuer = (settings.type === 'oidc' && settings.tenants?.template) || settings.issuer;
  let opened: { readonly at: number; readonly configuration: Promise<Configuration> } | undefined;

  /** One look-up for all who ask at once; one that failed is not kept. */
  function configuration(library: Library): Promise<Configuration> {
    if (opened === undefined || nowMs() > opened.at + documentMs) {
      const fresh = { at: nowMs(), configuration: open(library, settings) };
      opened = fresh;
      fresh.configuration.catch(() => {
        if (opened === fresh) opened = undefined;
      });
    }
    return opened.configuration;
  }

  async function address(request: UpstreamRequest): Promise<string> {
    const library = await import('openid-client');
    const config = await configuration(library);
    const oidc = settings.type === 'oidc';
    const { maxAge, login } = request.fresh;
    const age = maxAge ?? (settings.freshSignIn === 'told' ? anyAge : undefined);
    const parameters: Record<string, string> = {
      redirect_uri: request.redirectUri,
      state: request.state,
      code_challenge: await library.calculatePKCECodeChallenge(request.verifier),
      code_challenge_method: 'S256',
      ...(settings.responseMode === 'form_post' && { response_mode: 'form_post' }),
      ...(settings.scopes.length > 0 && { scope: settings.scopes.join(' ') }),
      ...(oidc && { nonce: request.nonce }),
      ...(oidc && age !== undefined && { max_age: String(age) }),
      ...(oidc && login && { prompt: 'login' }),
      // So that it can be seen whether anybody did sign in for this: the wish itself can be taken out of the address on the way.
      ...(login && config.serverMetadata().claims_parameter_supported === true && { claims: whenItWas }),
      // OAuth 2 has no word for it; this is GitHub's and others', and the rest do not read it (RFC 6749, section 3.1).
      ...(!oidc && (login || maxAge !== undefined) && { prompt: 'select_account' }),
      ...(oidc && request.uiLocales !== undefined && { ui_locales: request.uiLocales }),
    };
    return library.buildAuthorizationUrl(config, parameters).href;
  }

  async function identify(answer: URLSearchParams, request: UpstreamRequest) {
    const library = await import('openid-client');
    const config = await configuration(library);
    const url = new URL(request.redirectUri);
    url.search = parametersOf(answer, settings).toString();
    const checks = { expectedState: request.state, pkceCodeVerifier: request.verifier };
    if (settings.type === 'oauth2') {
      const { access_token: token } = await library.authorizationCodeGrant(config, url, checks);
      return personOfToken(library, config, settings, token);
    }
    // Whether `auth_time` is there and late is core's to say.
    const redeemed = await redeem(library, config, url, { ...checks, expectedNonce: request.nonce });
    const { tokens, configuration: ours, tenant } = redeemed;
    const claims = tokens.claims();
    const sub = subjectOf(claims?.sub);
    // It is one person's within its issuer, which is the tenant.
    const subject = sub !== undefined && tenant !== undefined ? subjectOf(`${tenant}/${sub}`) : sub;
    if (claims === undefined || subject === undefined) throw new ProviderError('no usable sub');
    const lacks = [settings.claims.username, settings.claims.email].some((name) => !(name in claims));
    const asks = lacks && ours.serverMetadata().userinfo_endpoint !== undefined;
    const told = asks
      ? await userinfoOf(library, ours, { token: tokens.access_token, subject: claims.sub })
      : undefined;
    const sources = told ? [claims, told.claims] : [claims];
    const person = personOf(subject, sources, settings.claims, { amr: claims.amr, authTime: claims.auth_time });
    return { person, lacking: told?.lacking };
  }

  async function redeem(library: Library, config: Configuration, url: URL, checks: GrantChecks) {
    const tenants = settings.type === 'oidc' ? settings.tenants : undefined;
    if (tenants === undefined) {
      const tokens = await library.authorizationCodeGrant(config, url, checks);
      return { tokens, configuration: config, tenant: undefined };
    }
    const { supportsPKCE: _helper, ...metadata } = config.serverMetadata();
    const configure = (issuer: string) => configurationOf(library, settings, { ...metadata, issuer });
    return grantOfTenant(library, { tenants, configure }, url, checks);
  }

  return {
    id: settings.id,
    name: settings.name,
    freshSignIn: settings.freshSignIn,
    signUp: settings.signUp,
    trustEmail: settings.trustEmail,
    trustMfa: settings.trustMfa,
    async address(request) {
      try {
        return { outcome: 'address', address: await address(request) };
      } catch (error) {
        return failureOf(otherIssuer(error, expectedIssuer));
      }
    },
    async identify(answer, request) {
      try {
        return { outcome: 'identified', ...(await identify(answer, request)) };
      } catch (error) {
        return failureOf(otherIssuer(error, expectedIssuer));
      }
    },
  };
}

async function open(library: Library, settings: UpstreamSettings): Promise<Configuration> {
  if (settings.type === 'oauth2') {
    const { authorizationEndpoint, tokenEndpoint, userinfoEndpoint } = settings;
    return configurationOf(library, settings, {
      // The library wants a name. Where the settings have none, answers with `iss` lose it before they are looked at.
      issuer: settings.issuer ?? new URL(authorizationEndpoint).origin,
      authorization_endpoint: authorizationEndpoint,
      token_endpoint: tokenEndpoint,
      userinfo_endpoint: userinfoEndpoint,
    });
  }
  const { issuer, tenants } = settings;
  const config = tenants
    ? configurationOf(library, settings, { issuer: tenants.template, ...(await tenantsDocument(issuer, tenants)) })
    : await library.discovery(new URL(issuer), settings.clientId, undefined, authenticationOf(library, settings), {
        execute: [library.enableNonRepudiationChecks, ...(isHttp(settings) ? [library.allowInsecureRequests] : [])],
        timeout: timeoutSeconds,
        [library.customFetch]: carefulFetch as (url: string, options: object) => Promise<Response>,
      });
  const metadata = config.serverMetadata();
  // The library lets Entra's tenants pass, all of them.
  if (!tenants && metadata.issuer.includes(tenantPart))
    throw new ProviderError('the provider has many tenants: say which in UPSTREAMS, with issuer_template and tenants');
  const http = isHttp(settings);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'] as const) {
    checkAddress(name, metadata[name], { http, required: name !== 'userinfo_endpoint' });
  }
  return config;
}

/** Only addresses that the settings let through get here; a document's own are looked at below. */
function isHttp(settings: UpstreamSettings): boolean {
  return [settings.issuer, settings.type === 'oauth2' && settings.tokenEndpoint].some(
    (address) => typeof address === 'string' && address.startsWith('http:'),
  );
}

function authenticationOf(library: Library, { clientSecret, clientAuthentication }: UpstreamSettings): ClientAuth {
  return {
    basic: () => library.ClientSecretBasic(clientSecret),
    post: () => library.ClientSecretPost(clientSecret),
    none: () => library.None(),
  }[clientAuthentication]();
}

/** Of metadata that is known already. */
function configurationOf(library: Library, settings: UpstreamSettings, metadata: ServerMetadata): Configuration {
  const config = new library.Configuration(metadata, settings.clientId, undefined, authenticationOf(library, settings));
  config.timeout = timeoutSeconds;
  config[library.customFetch] = carefulFetch as (url: string, options: object) => Promise<Response>;
  if (isHttp(settings)) library.allowInsecureRequests(config);
  if (settings.type === 'oidc') library.enableNonRepudiationChecks(config);
  return config;
}

function checkAddress(
  name: string,
  address: unknown,
  { http, required }: { readonly http: boolean; readonly required: boolean },
): void {
  if (address === undefined && !required) return;
  const url = typeof address === 'string' ? URL.parse(address) : null;
  const good = url?.protocol === 'https:' || (http && url?.protocol === 'http:' && isLoopback(url));
  if (!good) throw new ProviderError(`${name} of the provider's document is no address to use`);
}

/** What is looked at, each once: an answer that says two things says nothing. */
function parametersOf(answer: URLSearchParams, settings: UpstreamSettings): URLSearchParams {
  const kept = new URLSearchParams();
  for (const name of ['code', 'state', 'iss', 'error']) {
    if (name === 'iss' && settings.type === 'oauth2' && settings.issuer === undefined) continue;
    const [value, second] = answer.getAll(name);
    if (second !== undefined) throw new ProviderError(`the answer has ${name} twice`);
    if (value !== undefined) kept.set(name, value);
  }
  return kept;
}

async function personOfToken(library: Library, config: Configuration, settings: UpstreamSettings, token: string) {
  if (settings.type !== 'oauth2') throw new Error('an ID token tells who it is');
  const headers = new Headers({ accept: 'application/json' });
  const address = new URL(settings.userinfoEndpoint);
  const response = await library.fetchProtectedResource(config, token, address, 'GET', undefined, headers);
  if (response.status >= 500)
    throw new ProviderError(`the userinfo endpoint answers ${response.status}`, 'unavailable');
  if (response.status !== 200) throw new ProviderError(`the userinfo endpoint answers ${response.status}`);
  const claims = (await response.json().catch(() => undefined)) as Claims | undefined;
  const isObject = typeof claims === 'object' && claims !== null && !Array.isArray(claims);
  const { subject: name } = settings.claims;
  const subject = isObject && Object.hasOwn(claims, name) ? subjectOf(claims[name]) : undefined;
  if (!isObject || subject === undefined) throw new ProviderError(`the userinfo endpoint names no usable ${name}`);
  const person = personOf(subject, [claims], settings.claims);
  if (settings.emailsEndpoint === undefined) return { person };
  const { email, lacking } = await listedEmail(library, config, { token, address: settings.emailsEndpoint });
  return { person: { ...person, email, emailVerified: email !== undefined }, lacking };
}
