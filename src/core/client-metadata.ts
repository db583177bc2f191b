/**
 * What an application may say about itself: the members of RFC 7591 and OpenID Connect Dynamic Client Registration that this
 * server acts on, one by one. Anything else in the input is dropped, never stored: the list is closed, so a member that
 * would mean trust (`skip_consent`, `client_secret`, `__proto__` …) has no way in. The same rules hold at each registration and
 * each change, whoever asks.
 *
 * Order: shape of each member (zod), URIs, keys, then what must fit together, then defaults. The first mistake is the answer.
 */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { z } from 'zod';
import { secondFactorRules } from './assurance.ts';
import type { ClientRecord, JsonObject, JsonValue } from './stores.ts';

export type MetadataOutcome = { readonly outcome: 'valid'; readonly metadata: JsonObject } | InvalidMetadata;

/** RFC 7591, section 3.2.2. `description` is printable ASCII without quotes and never repeats the input. */
export interface InvalidMetadata {
  readonly outcome: 'invalid';
  readonly error: 'invalid_redirect_uri' | 'invalid_client_metadata';
  readonly description: string;
}

export interface MetadataContext {
  /** Who asks. Only `admin`, `cli` and `built-in` may relax a policy; a `person` may not register a machine. */
  readonly by: ClientRecord['origin'];
  /** At a change: what is stored. */
  readonly previous?: JsonObject;
}

// ---- URIs -----------------------------------------------------------------------------------------------------------

const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);
/** RFC 3986, section 2: what a URI may consist of, whole percent-encodings included, and none of them a control character. */
const uriCharacters = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%(?![01][0-9A-Fa-f]|7[Ff])[0-9A-Fa-f]{2})+$/;
/** RFC 8252, section 7.1: a reversed domain name; the dot keeps `javascript:` and every other known scheme out. */
const privateUseScheme = /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:\//;

export type RedirectUriKind = 'https' | 'https-loopback' | 'http-loopback' | 'private-use';

/**
 * What kind of redirect URI this is, or why it is none (RFC 9700, section 4.1.3; RFC 8252, sections 7.1 to 7.3). Requests are compared
 * with it character by character, so it must be written as a browser would write it: a URI that parsing changes (`..`, a
 * decimal address, a tab) is refused instead of being mended.
 */
export function redirectUriKind(uri: string): RedirectUriKind | { readonly reason: string } {
  if (!uriCharacters.test(uri))
    return { reason: 'must be an absolute URI without spaces, control characters or backslashes' };
  if (uri.includes('#')) return { reason: 'must not have a fragment' };
  if (uri.includes('*')) return { reason: 'must not have a wildcard' };
  const url = URL.parse(uri);
  if (!url) return { reason: 'must be an absolute URI' };
  if (url.username !== '' || url.password !== '') return { reason: 'must not hold credentials' };
  if (url.protocol === 'https:' || url.protocol === 'http:') {
    if (!writtenAsParsed(uri, url)) return { reason: 'must be written in its normal form' };
    const loopback = loopbackHosts.has(url.hostname);
    if (url.protocol === 'https:') return loopback ? 'https-loopback' : 'https';
    return loopback ? 'http-loopback' : { reason: 'must be https, or http on localhost, 127.0.0.1 or [::1]' };
  }
  if (!privateUseScheme.test(uri))
    return { reason: 'must be https, http on loopback, or a private-use scheme with a dot' };
  return url.href === uri ? 'private-use' : { reason: 'must be written in its normal form' };
}

/** Whether the text names the host and path that a parser finds in it. The case of the host, a default port and an empty path are left as they are. */
function writtenAsParsed(uri: string, url: URL): boolean {
  const [, scheme = '', authority = '', rest = ''] = /^([A-Za-z]+):\/\/([^/?#@]+)(.*)$/s.exec(uri) ?? [];
  const defaultPort = url.protocol === 'https:' ? ':443' : ':80';
  const host = authority.toLowerCase();
  const path = url.pathname + url.search + url.hash;
  return (
    `${scheme.toLowerCase()}:` === url.protocol &&
    (host === url.host || host === url.host + defaultPort) &&
    !url.hostname.endsWith('.') &&
    (rest === path || `/${rest}` === path)
  );
}

/** The other URI members, with what each may be. A page shows the first three as links, this server calls some of the others. */
const uriRules = {
  client_uri: { http: 'anywhere', fragment: true },
  policy_uri: { http: 'anywhere', fragment: true },
  tos_uri: { http: 'anywhere', fragment: true },
  logo_uri: { http: 'loopback', fragment: false },
  jwks_uri: { http: 'loopback', fragment: false },
  backchannel_logout_uri: { http: 'anywhere', fragment: false },
  // OpenID Connect Core 4, OpenID Connect Registration 2: https only.
  initiate_login_uri: { http: 'never', fragment: false },
  sector_identifier_uri: { http: 'never', fragment: false },
} as const;

function webUriMistake(uri: string, rule: (typeof uriRules)[keyof typeof uriRules]): string | undefined {
  if (!uriCharacters.test(uri)) return 'must be an absolute URI without spaces, control characters or backslashes';
  const url = URL.parse(uri);
  const schemes = rule.http === 'never' ? ['https:'] : ['https:', 'http:'];
  if (!url || !schemes.includes(url.protocol))
    return `must be ${schemes.map((scheme) => scheme.slice(0, -1)).join(' or ')}`;
  if (url.username !== '' || url.password !== '') return 'must not hold credentials';
  if (!writtenAsParsed(uri, url)) return 'must be written in its normal form';
  if (uri.includes('#') && !rule.fragment) return 'must not have a fragment';
  if (rule.http === 'loopback' && url.protocol === 'http:' && !loopbackHosts.has(url.hostname)) {
    return 'must be https, or http on loopback';
  }
  return undefined;
}

// ---- keys -----------------------------------------------------------------------------------------------------------

const maxText = 2048;
const maxKeys = 20;
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const member = z.string('members must be strings').max(maxText, 'has a member that is too long').optional();
/** RFC 7517, section 4: what a public key consists of; certificates and the rest are dropped. */
const publicKey = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP'], 'must hold RSA, EC or OKP keys only'),
  ...{ crv: member, x: member, y: member, n: member, e: member, use: member, alg: member, kid: member },
  key_ops: z.array(z.string(), 'key_ops must be an array of strings').max(10, 'key_ops is too long').optional(),
});
const keySet = z.object(
  {
    keys: z
      .array(
        z
          .looseObject({}, 'must hold objects')
          .refine((key) => !privateMembers.some((name) => Object.hasOwn(key, name)), 'must hold public keys only')
          .pipe(publicKey),
        'must have an array of keys',
      )
      .min(1, 'must have at least one key')
      .max(maxKeys, `must not have more than ${maxKeys} keys`),
  },
  'must be an object',
);

/** Whether this server could verify with each of them. */
function keyMistake(key: z.infer<typeof publicKey>): string | undefined {
  if (key.alg === 'none' || (key.alg !== undefined && isSymmetric(key.alg)))
    return 'alg must be an asymmetric algorithm';
  try {
    // Node checks the rest: that the members are there and an EC point lies on its curve.
    const { modulusLength, publicExponent } =
      createPublicKey({ key: key as JsonWebKey, format: 'jwk' }).asymmetricKeyDetails ?? {};
    if (key.kty !== 'RSA') return undefined;
    if (modulusLength === undefined || modulusLength < 2048 || modulusLength > 8192) {
      return 'must hold RSA keys of 2048 to 8192 bits';
    }
    const odd = publicExponent !== undefined && publicExponent > 1n && publicExponent % 2n === 1n;
    return odd ? undefined : 'must hold RSA keys with an odd exponent above 1';
  } catch {
    return 'holds a key that is not valid';
  }
}

function isSymmetric(algorithm: string): boolean {
  return /^(HS\d|dir$|A\d+(GCM)?KW$|PBES2)/i.test(algorithm);
}

// ---- the members ----------------------------------------------------------------------------------------------------

const maxUris = 100;

/** U+0000 and lone surrogates cannot be stored everywhere; other control characters have no business in a name or a URI. */
const text = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= maxText, `must not be longer than ${maxText} bytes`)
  .refine(
    (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
    'must not hold control characters or broken Unicode',
  );
const texts = (most: number) =>
  z
    .array(text, 'must be an array of strings')
    .max(most, `must not have more than ${most} members`)
    .transform((values) => [...new Set(values)]);
const flag = z.boolean('must be a boolean');
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);

/** Algorithms of this server's own signatures, and of signatures that it verifies. None is symmetric: client secrets are kept as hashes. */
const ownAlgorithm = oneOf(['RS256', 'ES256']);
const clientAlgorithm = oneOf(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']);

/** Goes into the address of a style sheet: exactly colours, in one form. */
const colours = (form: RegExp, wanted: string) => z.string('must be a string').regex(form, wanted);
const accent = colours(/^#[0-9a-f]{6}$/, 'must be a colour as #rrggbb in small letters');
const background = colours(
  /^#[0-9a-f]{6}( #[0-9a-f]{6})?$/,
  'must be a colour as #rrggbb in small letters, or two with one space between them',
);

const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'] as const;

const members = z.object({
  redirect_uris: texts(maxUris),
  post_logout_redirect_uris: texts(maxUris),
  application_type: oneOf(['web', 'native']),
  grant_types: z
    .array(oneOf(grantTypes), 'must be an array of strings')
    .min(1, 'must not be empty')
    .max(10, 'is too long'),
  response_types: z.array(oneOf(['code']), 'must be an array of strings').max(10, 'is too long'),
  response_modes: z
    .array(oneOf(['query', 'fragment', 'form_post']), 'must be an array of strings')
    .min(1, 'must not be empty')
    .max(10, 'is too long'),
  token_endpoint_auth_method: oneOf(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']),
  token_endpoint_auth_signing_alg: clientAlgorithm,
  scope: text,
  require_pkce: flag,
  second_factor: oneOf(secondFactorRules),
  client_name: text,
  client_uri: text,
  logo_uri: text,
  policy_uri: text,
  tos_uri: text,
  contacts: texts(20),
  software_id: text,
  software_version: text,
  jwks_uri: text,
  jwks: keySet,
  subject_type: oneOf(['public', 'pairwise']),
  sector_identifier_uri: text,
  id_token_signed_response_alg: ownAlgorithm,
  userinfo_signed_response_alg: ownAlgorithm,
  introspection_signed_response_alg: ownAlgorithm,
  authorization_signed_response_alg: ownAlgorithm,
  request_object_signing_alg: clientAlgorithm,
  require_signed_request_object: flag,
  require_pushed_authorization_requests: flag,
  dpop_bound_access_tokens: flag,
  tls_client_certificate_bound_access_tokens: flag,
  default_max_age: z.int('must be a whole number').min(0, 'must not be negative').max(1e9, 'is too large'),
  require_auth_time: flag,
  default_acr_values: texts(20),
  initiate_login_uri: text,
  backchannel_logout_uri: text,
  backchannel_logout_session_required: flag,
  brand_accent: accent,
  brand_background: background,
});
export const shape = members.partial();
type Members = z.infer<typeof shape>;

/** The members that are ever stored. */
export const metadataMembers: readonly string[] = Object.keys(members.shape);

/** RFC 6749, section 3.3. */
const scopeList = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;
/** As the engine has it (HTML's definition of an e-mail address). */
const address = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;

// ---- the whole ------------------------------------------------------------------------------------------------------

/** Checks untrusted input and completes it: every default is written out, so that a later default changes no stored client. */
export function parseMetadata(input: unknown, context: MetadataContext): MetadataOutcome {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return invalid('the metadata must be a JSON object');
  // RFC 7592, section 2.2: null means the same as leaving the member out.
  const given = Object.fromEntries(
    metadataMembers.flatMap((name) => {
      const value: unknown = Object.hasOwn(input, name) ? Reflect.get(input, name) : undefined;
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
  const parsed = shape.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const member = String(issue?.path[0] ?? 'metadata');
    return invalid(`${member} ${issue?.message ?? 'is not valid'}`, member === 'redirect_uris');
  }
  const asked = parsed.data;
  return uriMistake(asked) ?? memberMistake(asked) ?? complete(asked, context);
}

function uriMistake(asked: Members): InvalidMetadata | undefined {
  for (const member of ['redirect_uris', 'post_logout_redirect_uris'] as const) {
    for (const uri of asked[member] ?? []) {
      const kind = redirectUriKind(uri);
      if (typeof kind !== 'string') return invalid(`${member} ${kind.reason}`, member === 'redirect_uris');
    }
  }
  for (const member of Object.keys(uriRules) as (keyof typeof uriRules)[]) {
    const uri = asked[member];
    const mistake = uri === undefined ? undefined : webUriMistake(uri, uriRules[member]);
    if (mistake) return invalid(`${member} ${mistake}`);
  }
  return undefined;
}

function memberMistake(asked: Members): InvalidMetadata | undefined {
  if (asked.scope !== undefined && !scopeList.test(asked.scope))
    return invalid('scope must be scope names with one space between them');
  if (asked.contacts?.some((contact) => !address.test(contact))) return invalid('contacts must be e-mail addresses');
  if (asked.jwks && asked.jwks_uri) return invalid('jwks and jwks_uri must not be used together');
  const mistake = asked.jwks?.keys.map(keyMistake).find((found) => found !== undefined);
  return mistake === undefined ? undefined : invalid(`jwks ${mistake}`);
}

function complete(asked: Members, { by, previous }: MetadataContext): MetadataOutcome {
  const grants = unique(asked.grant_types ?? ['authorization_code', 'refresh_token']);
  const codeGrant = grants.includes('authorization_code');
  const responses = unique(asked.response_types ?? (codeGrant ? ['code'] : []));
  const redirectUris = asked.redirect_uris ?? [];
  const logoutUris = asked.post_logout_redirect_uris ?? [];
  const method = asked.token_endpoint_auth_method ?? 'client_secret_basic';

  // RFC 7591, section 2.1: the two lists say the same thing twice.
  if (codeGrant !== responses.includes('code')) return invalid('grant_types and response_types do not fit together');
  if (codeGrant && redirectUris.length === 0) return invalid('redirect_uris must have at least one member', true);
  if (grants.length === 1 && grants[0] === 'refresh_token') return invalid('refresh_token needs another grant type');
  // RFC 6749, section 4.4: only confidential clients; and a person cannot hand out what the person does not have.
  if (grants.includes('client_credentials')) {
    if (method === 'none') return invalid('client_credentials needs a client that authenticates');
    if (by === 'person') return invalid('client_credentials is not available here');
  }
  const hasKeys = asked.jwks !== undefined || asked.jwks_uri !== undefined;
  if (method === 'private_key_jwt' && !hasKeys) return invalid('private_key_jwt needs jwks or jwks_uri');
  if (asked.token_endpoint_auth_signing_alg && method !== 'private_key_jwt') {
    return invalid('token_endpoint_auth_signing_alg needs private_key_jwt');
  }
  if (asked.request_object_signing_alg && !hasKeys) return invalid('request_object_signing_alg needs jwks or jwks_uri');

  // RFC 8252: a private-use scheme is a native application's; its https URIs are claimed ones, never loopback.
  const kinds = [...redirectUris, ...logoutUris].map(redirectUriKind);
  const privateUse = kinds.includes('private-use');
  const type = asked.application_type ?? (privateUse ? 'native' : 'web');
  if (privateUse && type === 'web')
    return invalid('redirect_uris with a private-use scheme need application_type native', true);
  if (type === 'native' && kinds.includes('https-loopback')) {
    return invalid('redirect_uris of a native application must not be https on loopback', true);
  }

  const { brand_accent: _accent, brand_background: _background, ...plain } = asked;
  const metadata: JsonObject = {
    ...(plain as JsonObject),
    ...brandOf(asked, by, previous),
    redirect_uris: redirectUris,
    post_logout_redirect_uris: logoutUris,
    application_type: type,
    grant_types: grants,
    response_types: responses,
    token_endpoint_auth_method: method,
    subject_type: asked.subject_type ?? 'public',
    id_token_signed_response_alg: asked.id_token_signed_response_alg ?? 'RS256',
    require_pkce: pkceRule(asked.require_pkce, method === 'none' || type === 'native', by, previous),
  };
  const secondFactor = secondFactorRule(asked.second_factor, by, previous);
  delete metadata.second_factor;
  if (secondFactor !== undefined) metadata.second_factor = secondFactor;
  if (asked.scope !== undefined) metadata.scope = unique(asked.scope.split(' ')).join(' ');
  return { outcome: 'valid', metadata };
}

/**
 * How this server's own pages look while somebody goes on to the application. That speaks for the server, so only an admin says
 * it; what an admin has said outlasts a change by the owner.
 */
function brandOf(asked: Members, by: MetadataContext['by'], previous: JsonObject = {}): JsonObject {
  const { brand_accent: accent, brand_background: background } = isAdmin(by) ? asked : previous;
  return {
    ...(typeof accent === 'string' && { brand_accent: accent }),
    ...(typeof background === 'string' && { brand_background: background }),
  };
}

const isAdmin = (by: MetadataContext['by']): boolean => by === 'admin' || by === 'cli' || by === 'built-in';

/**
 * PKCE is due from every public client, and from a confidential one unless an admin has said otherwise. Programs made by
 * `POST /clients/register` or by a person may leave it out, as they always did. Anybody may ask for it; only an admin may drop it.
 */
function pkceRule(
  asked: boolean | undefined,
  isPublic: boolean,
  by: MetadataContext['by'],
  previous: JsonObject | undefined,
): boolean {
  if (isPublic || asked === true) return true;
  const strict = isAdmin(by);
  if (strict && asked === false) return false;
  if (typeof previous?.require_pkce === 'boolean') return previous.require_pkce;
  return strict;
}

/** What an admin has said stays until an admin says otherwise: whoever registered the client must not be able to weaken it. */
function secondFactorRule(
  asked: JsonValue | undefined,
  by: MetadataContext['by'],
  previous: JsonObject | undefined,
): JsonValue | undefined {
  return by === 'admin' || by === 'cli' || by === 'built-in' ? asked : previous?.second_factor;
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function invalid(description: string, redirect = false): InvalidMetadata {
  return { outcome: 'invalid', error: redirect ? 'invalid_redirect_uri' : 'invalid_client_metadata', description };
}
