/**
 * The protocol, the pages and the gateway: every endpoint with every parameter it reads, and a value for each that
 * would be right. What the API surfaces have beside is found in the route table (routes.ts).
 */
import type { GoodCall } from '../support/good-calls.ts';
import { password } from '../support/server.ts';
import type { Chance } from './random.ts';

/** What is good at this moment; made anew now and then. */
export interface Good {
  readonly issuer: string;
  readonly adminKey: string;
  /** Confidential. */
  readonly client: { readonly id: string; readonly secret: string };
  readonly machine: { readonly id: string; readonly secret: string };
  /** Public. */
  readonly reader: string;
  readonly code: { readonly code: string; readonly code_verifier: string };
  readonly refresh: string;
  /** Of a public client, begun and not yet typed. */
  readonly device: { readonly client: string; readonly deviceCode: string; readonly userCode: string };
  /** Opaque, for userinfo. */
  readonly access: string;
  /** A JWT for the user API. */
  readonly jwt: string;
  readonly idToken: string;
  readonly username: string;
  /** A browser that is signed in: its Cookie header. */
  readonly session: string;
  readonly sessionValue: string;
  readonly sessionSignature: string;
  readonly xsrf: string;
  /** An open login page. */
  readonly login: Page;
  /** An open consent page. */
  readonly consent: Page;
  /** A person at their own pages, who has signed in a moment ago. */
  readonly member: { readonly username: string; readonly cookies: string; readonly csrf: string };
  /** The tokens of links that are mailed or handed over. */
  readonly links: {
    readonly reset: string;
    /** Of that link's own form, in the member's browser. */
    readonly resetCsrf: string;
    /** For a person who has set a password a moment ago (core/sign-in/passes). */
    readonly pass: string;
    readonly email: string;
    readonly invitation: string;
  };
  readonly setupToken: string;
  readonly file: string;
  /** What gets through the gateway, and the token that only opens a program's session. */
  readonly gateway: { readonly person: string; readonly program: string; readonly application: string };
  /** Who has a second factor. */
  readonly careful: string;
  /** Of the API surfaces, by their rows in test/support/good-calls.ts. */
  readonly calls: ReadonlyMap<string, GoodCall>;
}

export interface Page {
  readonly uid: string;
  readonly cookies: string;
  readonly csrf: string;
}

export interface Target {
  readonly method: string;
  readonly path: (good: Good) => string;
  readonly query?: (good: Good) => Parameters;
  readonly form?: (good: Good) => Parameters | undefined;
  readonly json?: (good: Good) => Readonly<Record<string, unknown>> | undefined;
  readonly headers?: (good: Good) => Record<string, string>;
}

export type Parameters = Readonly<Record<string, string>>;

const basic = ({ id, secret }: { id: string; secret: string }) =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
const at = (path: string) => () => path;
/** In form what a browser sends, and nothing that was ever signed. */
const clientData = { type: 'webauthn.get', challenge: 'AAAA', origin: 'http://localhost' };
const wrongPasskey = JSON.stringify({
  ...{ id: 'A'.repeat(43), rawId: 'A'.repeat(43), type: 'public-key', clientExtensionResults: {} },
  response: {
    clientDataJSON: Buffer.from(JSON.stringify(clientData)).toString('base64url'),
    ...{ authenticatorData: 'AAAA', signature: 'AAAA', userHandle: 'AAAA' },
  },
});
const asClient = (good: Good) => ({ Authorization: basic(good.client) });

const authorize = (good: Good): Parameters => ({
  client_id: good.reader,
  redirect_uri: 'https://app.example.com/cb',
  response_type: 'code',
  response_mode: 'query',
  scope: 'openid profile',
  state: 'state',
  nonce: 'nonce',
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
});

/** What is seldom there, so that its absence is the rule. */
const authorizeMore = (good: Good): Parameters => ({
  ...authorize(good),
  prompt: 'login',
  max_age: '100',
  display: 'page',
  ui_locales: 'de en',
  claims_locales: 'en',
  acr_values: 'a b',
  login_hint: 'somebody',
  id_token_hint: good.idToken,
  claims: '{"userinfo":{"email":null}}',
  resource: `${good.issuer}/user`,
  request: 'a.b.c',
  request_uri: 'urn:ietf:params:oauth:request_uri:x',
  registration: '{}',
  dpop_jkt: 'x',
});

export const targets: Readonly<Record<string, Target>> = {
  authorize: { method: 'GET', path: at('/oauth/authorize'), query: authorize },
  'authorize, everything': { method: 'GET', path: at('/oauth/authorize'), query: authorizeMore },
  'authorize, signed in': {
    method: 'GET',
    path: at('/oauth/authorize'),
    query: (good) => ({ ...authorize(good), prompt: 'none' }),
    headers: (good) => ({ Cookie: good.session }),
  },
  'authorize by post': { method: 'POST', path: at('/oauth/authorize'), form: authorizeMore },
  resume: {
    method: 'GET',
    path: (good) => `/oauth/authorize/${good.login.uid}`,
    query: () => ({ x: '1' }),
    headers: (good) => ({ Cookie: good.login.cookies }),
  },
  push: {
    method: 'POST',
    path: at('/oauth/par'),
    form: (good) => ({ ...authorize(good), client_id: good.client.id }),
    headers: asClient,
  },
  'push, everything': { method: 'POST', path: at('/oauth/par'), form: authorizeMore },
  'token, code': {
    method: 'POST',
    path: at('/oauth/token'),
    form: (good) => ({
      grant_type: 'authorization_code',
      client_id: good.reader,
      redirect_uri: 'https://app.example.com/cb',
      resource: `${good.issuer}/user`,
      ...good.code,
    }),
  },
  'token, code by its old name': {
    method: 'POST',
    path: at('/oauth/token'),
    form: (good) => ({
      grant_type: 'authorization_code',
      client_id: good.client.id,
      client_secret: good.client.secret,
      authorization_code: good.code.code,
      code_verifier: good.code.code_verifier,
    }),
  },
  'token, refresh': {
    method: 'POST',
    path: at('/oauth/token'),
    form: (good) => ({
      grant_type: 'refresh_token',
      client_id: good.reader,
      refresh_token: good.refresh,
      scope: 'openid',
      resource: '',
    }),
  },
  'token, client': {
    method: 'POST',
    path: at('/oauth/token'),
    form: () => ({ grant_type: 'client_credentials', scope: 'books:read', resource: 'https://api.example.com' }),
    headers: (good) => ({ Authorization: basic(good.machine) }),
  },
  'token, assertion': {
    method: 'POST',
    path: at('/oauth/token'),
    form: (good) => ({
      grant_type: 'client_credentials',
      client_id: good.client.id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: good.idToken,
    }),
  },
  'token, device': {
    method: 'POST',
    path: at('/oauth/token'),
    form: ({ device, issuer }) => ({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: device.client,
      device_code: device.deviceCode,
      resource: `${issuer}/user`,
    }),
  },
  device: {
    method: 'POST',
    path: at('/oauth/device'),
    form: ({ device, issuer }) => ({
      client_id: device.client,
      scope: 'openid profile offline_access',
      resource: `${issuer}/user`,
    }),
  },
  'device, everything': {
    method: 'POST',
    path: at('/oauth/device'),
    form: ({ device, issuer, idToken }) => ({
      client_id: device.client,
      scope: 'openid',
      audience: `${issuer}/user`,
      ...{ nonce: 'nonce', max_age: '100', acr_values: 'a b', ui_locales: 'de en', login_hint: 'somebody' },
      ...{ claims: '{"userinfo":{"email":null}}', id_token_hint: idToken, request: 'a.b.c', registration: '{}' },
    }),
  },
  'device page': {
    method: 'GET',
    path: at('/device'),
    query: ({ device }) => ({ user_code: device.userCode }),
    headers: (good) => ({ Cookie: good.session, Accept: 'text/html' }),
  },
  'device form': {
    method: 'POST',
    path: at('/device'),
    form: ({ xsrf, device }) => ({ xsrf, user_code: device.userCode }),
    headers: (good) => ({ Cookie: good.session, Origin: good.issuer, Accept: 'text/html' }),
  },
  'device form, decided': {
    method: 'POST',
    path: at('/device'),
    form: ({ xsrf, device }) => ({ xsrf, user_code: device.userCode, confirm: 'yes', abort: '' }),
    headers: (good) => ({ Cookie: good.session, Origin: good.issuer, Accept: 'text/html' }),
  },
  'device, resumed': {
    method: 'GET',
    path: (good) => `/device/${good.login.uid}`,
    query: () => ({ user_code: 'x' }),
    headers: (good) => ({ Cookie: good.login.cookies, Accept: 'text/html' }),
  },
  userinfo: {
    method: 'GET',
    path: at('/oauth/userinfo'),
    query: () => ({ access_token: '' }),
    headers: (good) => ({ Authorization: `Bearer ${good.access}` }),
  },
  'userinfo by post': { method: 'POST', path: at('/oauth/userinfo'), form: (good) => ({ access_token: good.access }) },
  introspect: {
    method: 'POST',
    path: at('/oauth/introspect'),
    form: (good) => ({ token: good.access, token_type_hint: 'access_token' }),
    headers: asClient,
  },
  'introspect by post': {
    method: 'POST',
    path: at('/oauth/introspect'),
    form: (good) => ({ token: good.refresh, client_id: good.client.id, client_secret: good.client.secret }),
  },
  'signed introspection': {
    method: 'POST',
    path: at('/oauth/introspect'),
    form: (good) => ({ token: good.access }),
    headers: (good) => ({ ...asClient(good), Accept: 'application/token-introspection+jwt;q=1' }),
  },
  revoke: {
    method: 'POST',
    path: at('/oauth/revoke'),
    form: (good) => ({ token: `${good.refresh}x`, token_type_hint: 'refresh_token' }),
    headers: asClient,
  },
  logout: {
    method: 'GET',
    path: at('/oauth/logout'),
    query: (good) => ({
      id_token_hint: good.idToken,
      client_id: good.reader,
      post_logout_redirect_uri: 'https://app.example.com/cb',
      state: 'state',
      ui_locales: 'de',
      logout_hint: 'somebody',
    }),
    headers: (good) => ({ Cookie: good.session }),
  },
  'logout by post': {
    method: 'POST',
    path: at('/oauth/logout'),
    form: (good) => ({ id_token_hint: good.idToken, state: 'state' }),
    headers: (good) => ({ Cookie: good.session }),
  },
  'logout, confirm': {
    method: 'POST',
    path: at('/oauth/logout/confirm'),
    form: (good) => ({ xsrf: good.xsrf, logout: 'no' }),
    headers: (good) => ({ Cookie: good.session }),
  },
  'logout, success': {
    method: 'GET',
    path: at('/oauth/logout/success'),
    query: (good) => ({ client_id: good.reader }),
  },
  'login page': {
    method: 'GET',
    path: (good) => `/interaction/${good.login.uid}`,
    query: () => ({ x: '1' }),
    headers: (good) => ({ Cookie: good.login.cookies, Accept: 'text/html' }),
  },
  'login form': {
    method: 'POST',
    path: (good) => `/interaction/${good.login.uid}`,
    form: (good) => ({ csrf: good.login.csrf, username: good.username, password: 'wrong lemons under glass' }),
    headers: (good) => ({ Cookie: good.login.cookies, Origin: good.issuer }),
  },
  'sign-in with a pass': {
    method: 'GET',
    path: (good) => `/interaction/${good.login.uid}/pass`,
    query: () => ({ x: '1' }),
    headers: (good) => ({ Cookie: `${good.login.cookies}; gatehouse-pass=${good.links.pass}`, Accept: 'text/html' }),
  },
  'passkey form': {
    method: 'POST',
    path: (good) => `/interaction/${good.login.uid}`,
    form: (good) => ({ csrf: good.login.csrf, passkey: wrongPasskey }),
    headers: (good) => ({ Cookie: good.login.cookies, Origin: good.issuer }),
  },
  'consent page': {
    method: 'GET',
    path: (good) => `/interaction/${good.consent.uid}`,
    headers: (good) => ({ Cookie: good.consent.cookies, Accept: 'text/html' }),
  },
  'consent form': {
    method: 'POST',
    path: (good) => `/interaction/${good.consent.uid}`,
    form: (good) => ({ csrf: good.consent.csrf, answer: 'perhaps', known: '["scope openid"]', snapshot: 'x' }),
    headers: (good) => ({ Cookie: good.consent.cookies, Origin: good.issuer }),
  },
  welcome: { method: 'GET', path: at('/'), query: () => ({ x: '1' }), headers: () => ({ Accept: 'text/html' }) },
  playground: {
    method: 'GET',
    path: at('/playground'),
    query: () => ({ code: 'x', state: 'y', error: 'z', error_description: 'd' }),
  },
  'authorize, client by document': {
    method: 'GET',
    path: at('/oauth/authorize'),
    query: () => ({
      client_id: 'https://127.0.0.1/client.json',
      response_type: 'code',
      redirect_uri: 'http://127.0.0.1/callback',
      code_challenge: 'x'.repeat(43),
      code_challenge_method: 'S256',
    }),
    headers: () => ({ Accept: 'text/html' }),
  },
  'client logo': {
    method: 'GET',
    path: at('/client-logo'),
    query: (good) => ({ client_id: good.reader, v: 'x' }),
  },
  'why page': { method: 'GET', path: at('/why/3f2b8c1d-77aa') },
  'language page': { method: 'GET', path: at('/language'), headers: (good) => ({ Referer: `${good.issuer}/x?y=z` }) },
  'language form': {
    method: 'POST',
    path: at('/language'),
    form: (good) => ({ csrf: good.login.csrf, language: 'de', back: '/x?y=z' }),
    headers: (good) => ({ Cookie: good.login.cookies, Origin: good.issuer }),
  },
  theme: { method: 'GET', path: at('/brand/theme-affb000.css'), query: () => ({ v: '1' }) },
  'setup page': { method: 'GET', path: at('/setup'), query: (good) => ({ token: good.setupToken }) },
  'setup form': {
    method: 'POST',
    path: (good) => `/setup?token=${good.setupToken}`,
    form: (good) => ({
      csrf: good.login.csrf,
      username: 'first.admin',
      password: 'nine pears on a shelf',
    }),
    headers: (good) => ({ Cookie: good.login.cookies }),
  },
  register: {
    method: 'POST',
    path: at('/clients/register'),
    json: () => ({
      app_name: 'App',
      contact_email: 'a@example.org',
      redirect_url: 'https://app.example.com/cb',
      scope: 'openid',
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'none',
      client_uri: 'https://app.example.com',
      logo_uri: 'https://app.example.com/logo.png',
      jwks_uri: 'https://127.0.0.1:1/jwks',
      jwks: { keys: [] },
      default_max_age: 5,
      post_logout_redirect_uris: ['https://app.example.com/'],
      backchannel_logout_uri: 'https://127.0.0.1:1/logout',
      backchannel_logout_session_required: true,
      require_pkce: true,
      id_token_signed_response_alg: 'RS256',
    }),
    headers: (good) => ({ 'X-Admin-Key': good.adminKey }),
  },
  'user info': {
    method: 'GET',
    path: at('/user/info'),
    query: (good) => ({ username: good.username }),
    headers: (good) => ({ Authorization: `Bearer ${good.jwt}` }),
  },
  reload: {
    method: 'POST',
    path: at('/internal/reload-clients'),
    json: () => ({ x: 1 }),
    headers: (good) => ({ 'X-Admin-Key': good.adminKey }),
  },
  'login, second factor': {
    method: 'POST',
    path: at('/login'),
    json: ({ careful }) => ({ username: careful, password }),
    headers: () => ({ 'X-OTP': '000000' }),
  },
  'identity login, second factor': {
    method: 'GET',
    path: at('/v1/login'),
    headers: ({ careful }) => ({ Authorization: `Basic ${btoa(`${careful}:${password}`)}`, 'X-OTP': '000000' }),
  },
  'password change, second factor': {
    method: 'POST',
    path: at('/v1/password/change'),
    json: () => ({ new_password: password, kill_sessions: true }),
    headers: ({ careful }) => ({ Authorization: `Basic ${btoa(`${careful}:${password}`)}`, 'X-OTP': '000000' }),
  },
  'gateway, a person': {
    method: 'POST',
    path: at('/protected/resource/x'),
    query: () => ({ x: '1' }),
    json: () => ({ x: 1 }),
    headers: ({ gateway }) => ({
      Authorization: `Bearer ${gateway.person}`,
      'X-Gatehouse-Subject': 'spoofed',
      X_Gatehouse_Username: 'spoofed',
      'X-Forwarded-For': 'spoofed',
    }),
  },
  'gateway, a program': {
    method: 'POST',
    path: at('/write-data'),
    form: () => ({ x: '1' }),
    headers: ({ gateway }) => ({ Authorization: `Bearer: ${gateway.program}` }),
  },
  'gateway, an application': {
    method: 'GET',
    path: at('/books/1'),
    query: () => ({ x: '1' }),
    headers: ({ gateway }) => ({
      Authorization: `Bearer ${gateway.application}`,
      Connection: 'keep-alive, X-A',
      'X-A': 'b',
    }),
  },
  'gateway, everybody': {
    method: 'PUT',
    path: at('/everybody'),
    json: () => ({ x: 1 }),
    headers: ({ gateway }) => ({ Authorization: `Bearer ${gateway.program}` }),
  },
  'gateway, a question by headers': {
    method: 'GET',
    path: at('/gateway/verify'),
    headers: ({ gateway }) => ({
      Authorization: `Bearer ${gateway.person}`,
      'X-Original-Method': 'GET',
      'X-Original-URI': '/protected/resource?x=1',
    }),
  },
  'gateway, a question by query': {
    method: 'GET',
    path: at('/gateway/verify/token'),
    query: () => ({ tokens: 'oauth,tinyoauth', audience: 'https://api.example.com', scope: 'books:read' }),
    headers: ({ gateway }) => ({ Authorization: `Bearer ${gateway.application}` }),
  },
  reference: {
    method: 'GET',
    path: at('/openapi'),
    query: () => ({ x: '1' }),
    headers: () => ({ Accept: 'text/html' }),
  },
  'reference, one API': { method: 'GET', path: at('/openapi/identity'), query: () => ({ x: '1' }) },
  'reference, document': { method: 'GET', path: at('/openapi.json'), query: () => ({ x: '1' }) },
  'static file': { method: 'GET', path: (good) => good.file, query: () => ({ v: 'x' }) },
  'static folder': { method: 'GET', path: at('/public/..'), query: () => ({ v: 'x' }) },
  favicon: { method: 'GET', path: at('/favicon.ico') },
  health: { method: 'GET', path: at('/healthz'), query: () => ({ x: '1' }) },
  ready: { method: 'GET', path: at('/readyz'), query: () => ({ x: '1' }) },
  metrics: { method: 'GET', path: at('/metrics'), headers: (good) => ({ Authorization: `Bearer ${good.adminKey}` }) },
  discovery: { method: 'GET', path: at('/.well-known/openid-configuration'), query: () => ({ x: '1' }) },
  'server metadata': { method: 'GET', path: at('/.well-known/oauth-authorization-server') },
  jwks: { method: 'GET', path: at('/oauth/jwks'), query: () => ({ x: '1' }) },
  nothing: { method: 'GET', path: at('/nothing/here'), query: () => ({ x: '1' }) },
};

/** Ways to write a path that some reader takes for another path. */
export function twistPath(path: string, evil: string, chance: Chance): string {
  const part = encoded(evil);
  return chance.pick([
    `${path}/`,
    `/${path}`,
    `${path};x=1`,
    `${path}%00`,
    `${path}%2e%2e%2f`,
    `${path}/../admin`,
    path.toUpperCase(),
    path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    path.replaceAll('/', '\\'),
    `${path}/${part}`,
    path.replace(/[^/]+$/, part),
    path.replace(/^\/[^/]+/, `/${part}`),
    `/interaction/${part}`,
    `/oauth/authorize/${part}`,
    `/public/${part}`,
    `/${part}`,
    `${path}%`,
    `${path}%zz`,
    `${path}%ff`,
    `${path}?`,
    `${path}#x`,
    `${path}??x=1&&=&=x&x`,
  ]);
}

const codes = Array.from({ length: 256 }, (_, code) => {
  const sign = String.fromCharCode(code);
  return /[A-Za-z0-9._~-]/.test(sign) ? sign : `%${code.toString(16).padStart(2, '0')}`;
});

/** Percent-encodes every byte that could not stand in a request line. */
export function encoded(latin1: string): string {
  let text = '';
  for (let i = 0; i < latin1.length; i += 1) text += codes[latin1.charCodeAt(i) & 0xff];
  return text;
}
