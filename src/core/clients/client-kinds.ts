/**
 * Kinds of clients that an operator registers with one word, and the metadata (RFC 7591, section 2) of each. Input that
 * contradicts the kind is refused with a fix, before `parseMetadata` checks the rest.
 */
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { deviceGrant } from './metadata/device-grant.ts';

export const clientKinds = {
  web: 'an application on a server, which keeps a secret',
  spa: 'an application in the browser, without a server of its own',
  native: 'an application on a device or a command line',
  device: 'a device or program without a browser of its own, such as a TV or a remote command line',
  service: 'a program that works without a person',
  'mcp-client': 'an agent that reaches MCP servers for a person, without a secret',
} as const;
export type ClientKind = keyof typeof clientKinds;

export const isClientKind = (text: string): text is ClientKind => Object.hasOwn(clientKinds, text);

const people = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
const unauthenticated = { ...people, token_endpoint_auth_method: 'none', require_pkce: true };

const defaults: Readonly<Record<ClientKind, JsonObject>> = {
  web: { ...people, application_type: 'web', token_endpoint_auth_method: 'client_secret_basic' },
  spa: { ...unauthenticated, application_type: 'web' },
  native: { ...unauthenticated, application_type: 'native' },
  device: {
    ...unauthenticated,
    grant_types: [deviceGrant, 'refresh_token'],
    response_types: [],
    application_type: 'native',
  },
  'mcp-client': { ...unauthenticated, application_type: 'native', profile: 'mcp-client' },
  service: {
    grant_types: ['client_credentials'],
    response_types: [],
    application_type: 'web',
    token_endpoint_auth_method: 'client_secret_basic',
  },
};

type OfKind = { readonly metadata: JsonObject } | { readonly mistake: string };

/** `given`: the requested metadata. `identityScopes`: scopes about a user. */
export function ofKind(kind: ClientKind, given: JsonObject, identityScopes: ReadonlySet<string>): OfKind {
  const mistake = rules[kind].map((rule) => rule(given, identityScopes)).find((found) => found !== undefined);
  if (mistake !== undefined) return { mistake };
  const { token_endpoint_auth_method: method, ...others } = defaults[kind];
  // This profile says how a client that keeps a secret authenticates; for others parseMetadata names the contradiction.
  const itsOwn = given.profile === 'fapi2' && method !== 'none' ? others : defaults[kind];
  return { metadata: { ...itsOwn, ...given } };
}

type Rule = (given: JsonObject, identityScopes: ReadonlySet<string>) => string | undefined;

const texts = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
const hasUri = (given: JsonObject, is: (uri: string) => boolean) => texts(given.redirect_uris).find(is);
const isPrivateUse = (uri: string): boolean => !/^https?:/i.test(uri);

const secretless: Rule = ({ token_endpoint_auth_method: method }) =>
  method === 'none' ? 'It keeps a secret. Leave out --public, or register it as spa or native.' : undefined;

const authenticated: Rule = ({ token_endpoint_auth_method: method, client_secret: secret }) => {
  if (secret !== undefined) return 'It cannot keep a secret. Leave out client_secret, or register it as web.';
  return method === undefined || method === 'none'
    ? undefined
    : `It cannot keep a secret. Leave out --auth-method ${String(method)}, or register it as web.`;
};

const agentMethod: Rule = ({ token_endpoint_auth_method: method, client_secret: secret }) =>
  secret !== undefined || (typeof method === 'string' && method.startsWith('client_secret'))
    ? 'An agent has no secret. Leave out --auth-method and client_secret, or register it as web.'
    : undefined;

const withoutPkce: Rule = ({ require_pkce: pkce }) =>
  pkce === false ? 'A client without a secret needs PKCE. Leave out --no-require-pkce.' : undefined;

const otherGrants: Rule = ({ grant_types: grants }) => {
  if (grants === undefined || texts(grants).includes('authorization_code')) {
    return texts(grants).includes('client_credentials')
      ? 'Users sign in to this client. Register another one for client_credentials: clients register service.'
      : undefined;
  }
  return 'Users sign in to this client, so it needs authorization_code. Leave out --grant-type, or register it as service.';
};

const noRedirect: Rule = ({ redirect_uris: uris }) =>
  texts(uris).length === 0 ? 'It needs a redirect URI. Add --redirect-uri.' : undefined;

const privateRedirect: Rule = (given) => {
  const uri = hasUri(given, isPrivateUse);
  return uri && `The redirect URI ${uri} is for native applications. Register it as native.`;
};

const typeOf =
  (wanted: 'web' | 'native'): Rule =>
  ({ application_type: type }) =>
    type === undefined || type === wanted ? undefined : `Its --type is ${wanted}. Leave out --type ${String(type)}.`;

/** Refuses scopes about a user, which the token endpoint would refuse to a service. */
const withoutPerson: Rule = ({ scope }, identityScopes) => {
  const personal = typeof scope === 'string' ? scope.split(' ').find((name) => identityScopes.has(name)) : undefined;
  return (
    personal &&
    `The scope ${personal} is about a user, and a service works without one. Leave it out, or register it as web.`
  );
};

const serviceRedirect: Rule = (given) =>
  texts(given.redirect_uris).length > 0 || texts(given.post_logout_redirect_uris).length > 0
    ? 'Users do not sign in to a service, so it has no redirect URI. Leave it out, or register it as web.'
    : undefined;

const serviceGrants: Rule = ({ grant_types: grants }) => {
  const other = texts(grants).find((grant) => grant !== 'client_credentials');
  return (
    other && `A service has the grant client_credentials only. Leave out --grant-type ${other}, or register it as web.`
  );
};

const deviceRedirect: Rule = (given) =>
  texts(given.redirect_uris).length > 0
    ? 'A device has no browser, so it has no redirect URI. Leave it out, or register it as native.'
    : undefined;

const deviceGrants: Rule = ({ grant_types: grants }) => {
  if (grants !== undefined && !texts(grants).includes(deviceGrant))
    return 'A device needs the grant device_code. Add --grant-type device_code, or register it as native.';
  const other = texts(grants).find((grant) => grant !== deviceGrant && grant !== 'refresh_token');
  return (
    other &&
    `A device has the grants device_code and refresh_token. Leave out --grant-type ${other}, or register it as native.`
  );
};

const servicePublic: Rule = ({ token_endpoint_auth_method: method }) =>
  method === 'none' ? 'A service authenticates. Leave out --public.' : undefined;

const rules: Readonly<Record<ClientKind, readonly Rule[]>> = {
  web: [secretless, otherGrants, typeOf('web'), privateRedirect, noRedirect],
  spa: [authenticated, withoutPkce, otherGrants, typeOf('web'), privateRedirect, noRedirect],
  native: [authenticated, withoutPkce, otherGrants, typeOf('native'), noRedirect],
  device: [authenticated, withoutPkce, deviceGrants, typeOf('native'), deviceRedirect],
  'mcp-client': [agentMethod, withoutPkce, otherGrants, noRedirect],
  service: [servicePublic, serviceRedirect, serviceGrants, withoutPerson],
};
