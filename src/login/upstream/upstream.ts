/**
 * Sign-in providers, with `openid-client`: OpenID Connect providers by discovery, and OAuth 2 providers that tell who
 * owns a token. The library is loaded, and a provider contacted, at the first sign-in through one, so a provider that
 * is down does not affect this server.
 *
 * PKCE (S256) and state are always used; with OpenID Connect also a nonce and the signature of the ID token. `iss` of
 * the response is compared if present (RFC 9207). Addresses come from the settings or from the configured issuer's
 * document; they are https, or loopback if the settings allow it.
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

/**
 * With `max_age` a provider must tell when the person signed in (OpenID Connect Core, section 2); a year forces no new
 * sign-in.
 */
const anyAge = 31_536_000;

/** How long a provider's document is cached. The library refreshes keys by itself. */
const documentMs = 3_600_000;

export function createUpstreamProvider(settings: UpstreamSettings): UpstreamProvider {
  const expectedIssuer = (settings.type === 'oidc' && settings.tenants?.template) || settings.issuer;
  let opened: { readonly at: number; readonly configuration: Promise<Configuration> } | undefined;

  /** Concurrent requests share one look-up; a failed one is not kept. */
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
      // Requests `auth_time`, to see whether the person signed in again: the person can remove `prompt` from the
      // address.
      ...(login && config.serverMetadata().claims_parameter_supported === true && { claims: whenItWas }),
      // OAuth 2 has no parameter for this. GitHub and others read it; the rest ignore it (RFC 6749, section 3.1).
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
    // Core checks that `auth_time` is present and recent.
    const redeemed = await redeem(library, config, url, { ...checks, expectedNonce: request.nonce });
    const { tokens, configuration: ours, tenant } = redeemed;
    const claims = tokens.claims();
    const sub = subjectOf(claims?.sub);
    // `sub` is unique within its issuer, which is the tenant.
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
    logo: settings.logo,
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
      // The library needs an issuer. If the settings have none, `iss` is removed from responses before the check.
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
  // The library accepts all tenants of Entra.
  if (!tenants && metadata.issuer.includes(tenantPart))
    throw new ProviderError('the provider has many tenants: say which in UPSTREAMS, with issuer_template and tenants');
  const http = isHttp(settings);
  for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'] as const) {
    checkAddress(name, metadata[name], { http, required: name !== 'userinfo_endpoint' });
  }
  return config;
}

/** The settings were checked already; the addresses in a document are checked below. */
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

/** Builds a configuration from known metadata. */
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

/** The parameters that are read, each at most once; a repeated parameter is an error. */
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
