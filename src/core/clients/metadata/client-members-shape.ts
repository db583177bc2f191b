/**
 * The members of RFC 7591 and OpenID Connect Dynamic Client Registration that this server uses, each checked by itself.
 * Other members are dropped, or refused if they promise protection (client-metadata), and never stored. The list is
 * closed, so a member that would mean trust (`skip_consent`, `client_secret`, `__proto__` …) has no way in.
 */
import { z } from 'zod';
import { secondFactorRules } from '../../factors/assurance.ts';
import { isPublicJwk } from '../../kernel/public-jwk.ts';
import { consentPolicies } from '../consent-policy.ts';
import { deviceGrant } from './device-grant.ts';
import { idTokenClaimRules } from './id-token-claims.ts';
import { profiles } from './profiles.ts';
import { refreshReuseMax, refreshReuseRules } from './refresh-reuse.ts';

/** The supported values of members that are lists of choices. */
export const offered = {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials', deviceGrant],
  response_types: ['code'],
  response_modes: ['query', 'fragment', 'form_post'],
} as const;

const maxText = 2048;
const maxKeys = 20;
const member = z.string('members must be strings').max(maxText, 'has a member that is too long').optional();
/** The members of a public key (RFC 7517, section 4). Certificates and other members are dropped. */
const publicKey = z.object({
  kty: z.enum(['RSA', 'EC', 'OKP'], 'must contain RSA, EC or OKP keys only'),
  crv: member,
  x: member,
  y: member,
  n: member,
  e: member,
  use: member,
  alg: member,
  kid: member,
  key_ops: z.array(z.string(), 'key_ops must be an array of strings').max(10, 'key_ops is too long').optional(),
});
const keySet = z.object(
  {
    keys: z
      .array(
        z.looseObject({}, 'must contain objects').refine(isPublicJwk, 'must contain public keys only').pipe(publicKey),
        'must have an array of keys',
      )
      .min(1, 'must have at least one key')
      .max(maxKeys, `must not have more than ${maxKeys} keys`),
  },
  'must be an object',
);

export type PublicKey = z.infer<typeof publicKey>;

const maxUris = 100;

/**
 * Some databases cannot store U+0000 and lone surrogates. Other control characters do not belong in a name or a URI.
 */
const text = z
  .string('must be a string')
  .min(1, 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= maxText, `must not be longer than ${maxText} bytes`)
  .refine(
    (value) => value.isWellFormed() && !/\p{Cc}/u.test(value),
    'must not contain control characters or broken Unicode',
  );
/** Empty: as if left out. */
const scopeText = z.string('must be a string').max(maxText, `must not be longer than ${maxText} bytes`);
const texts = (most: number) =>
  z
    .array(text, 'must be an array of strings')
    .max(most, `must not have more than ${most} members`)
    .transform((values) => [...new Set(values)]);
const flag = z.boolean('must be a boolean');
const oneOf = <const T extends readonly [string, ...string[]]>(
  values: T,
  reasons: Readonly<Record<string, string>> = {},
) =>
  z.enum(values, {
    error: ({ input }) =>
      (typeof input === 'string' && Object.hasOwn(reasons, input) && reasons[input]) ||
      `must be one of ${values.join(', ')}`,
  });

/**
 * Algorithms of this server's signatures, and of signatures that it verifies. None is symmetric, because only hashes of
 * client secrets are stored.
 */
const ownAlgorithm = oneOf(['RS256', 'ES256']);
const clientAlgorithm = oneOf(['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']);

/** Becomes part of a style sheet's URL, so only colours in one exact form are allowed. */
const colours = (form: RegExp, wanted: string) => z.string('must be a string').regex(form, wanted);
const accent = colours(/^#[0-9a-f]{6}$/, 'must be a colour as #rrggbb in small letters');
const background = colours(
  /^#[0-9a-f]{6}( #[0-9a-f]{6})?$/,
  'must be a colour as #rrggbb in small letters, or two with one space between them',
);

/** Accepts any values. client-metadata drops unsupported ones, and refuses the member if none is left. */
const choice = (values: readonly string[]) =>
  z
    .array(
      z.string('must be an array of strings').max(maxText, 'has a member that is too long'),
      'must be an array of strings',
    )
    .max(20, 'is too long')
    .meta({ description: `Used: ${values.map((value) => `\`${value}\``).join(', ')}. Other values are ignored.` });

/** Why other methods of RFC 7591 and OpenID Connect are refused: a client with such a method could not authenticate. */
const methodReasons = {
  client_secret_jwt: 'client_secret_jwt needs the secret itself, but only its hash is stored: use private_key_jwt',
  tls_client_auth: 'tls_client_auth is not supported: use private_key_jwt',
  self_signed_tls_client_auth: 'self_signed_tls_client_auth is not supported: use private_key_jwt',
};

const members = z.object({
  profile: oneOf(profiles),
  redirect_uris: texts(maxUris),
  post_logout_redirect_uris: texts(maxUris),
  application_type: oneOf(['web', 'native']),
  grant_types: choice(offered.grant_types).min(1, 'must not be empty'),
  response_types: choice(offered.response_types),
  response_modes: choice(offered.response_modes).min(1, 'must not be empty'),
  token_endpoint_auth_method: oneOf(
    ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    methodReasons,
  ),
  token_endpoint_auth_signing_alg: clientAlgorithm,
  scope: scopeText,
  require_pkce: flag,
  dpop_bound_access_tokens: flag,
  require_pushed_authorization_requests: flag,
  second_factor: oneOf(secondFactorRules),
  consent: oneOf(consentPolicies),
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
  subject_type: oneOf(['public'], { pairwise: 'must be public: pairwise identifiers are not supported' }),
  sector_identifier_uri: text,
  id_token_signed_response_alg: ownAlgorithm,
  id_token_claims: oneOf(idTokenClaimRules),
  userinfo_signed_response_alg: ownAlgorithm,
  introspection_signed_response_alg: ownAlgorithm,
  default_max_age: z.int('must be a whole number').min(0, 'must not be negative').max(1e9, 'is too large'),
  require_auth_time: flag,
  default_acr_values: texts(20),
  initiate_login_uri: text,
  backchannel_logout_uri: text,
  backchannel_logout_session_required: flag,
  brand_accent: accent,
  brand_background: background,
  allow_insecure_redirects: flag,
  redirect_schemes: texts(20),
  loopback_ports: oneOf(['any', 'registered']),
  refresh_reuse: oneOf(refreshReuseRules),
  refresh_reuse_seconds: z
    .int('must be a whole number')
    .min(1, 'must be at least 1: for no reuse, set refresh_reuse to strict')
    .max(refreshReuseMax, `must be at most ${refreshReuseMax}`),
});
export const shape = members.partial();
export type Members = z.infer<typeof shape>;

/** All members that can be stored. */
export const metadataMembers: readonly string[] = Object.keys(members.shape);
