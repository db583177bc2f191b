/** The metadata of an application from the options of a command and a JSON file (RFC 7591, section 2). */
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { deviceGrant } from '../../core/clients/metadata/device-grant.ts';
import { profiles } from '../../core/clients/metadata/profiles.ts';
import { refreshReuseMax, refreshReuseRules } from '../../core/clients/metadata/refresh-reuse.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Call, Opt } from '../command.ts';
import { readJsonObject } from '../json-file.ts';
import { UsageError } from '../usage-error.ts';

/** Options that set one member of the metadata. */
const textMembers: Readonly<Record<string, string>> = {
  name: 'client_name',
  profile: 'profile',
  'auth-method': 'token_endpoint_auth_method',
  scope: 'scope',
  type: 'application_type',
  uri: 'client_uri',
  'logo-uri': 'logo_uri',
  'policy-uri': 'policy_uri',
  'tos-uri': 'tos_uri',
  'jwks-uri': 'jwks_uri',
  'backchannel-logout-uri': 'backchannel_logout_uri',
  'second-factor': 'second_factor',
  'id-token-claims': 'id_token_claims',
  consent: 'consent',
};
const listMembers: Readonly<Record<string, string>> = {
  'redirect-uri': 'redirect_uris',
  'post-logout-redirect-uri': 'post_logout_redirect_uris',
  'grant-type': 'grant_types',
  contact: 'contacts',
  'redirect-scheme': 'redirect_schemes',
};

/** Members that `clients show --json` prints besides the metadata; in a file they change nothing. */
const shownMembers: readonly string[] = [
  'client_id',
  'client_secret',
  'client_secret_expires_at',
  'client_id_issued_at',
  'updated_at',
  'reviewed_at',
  'disabled_at',
  'origin',
  'owner',
  'version',
  'secrets',
  'issuer',
  'openid_configuration',
  'risks',
  'dropped',
  'unprotected_at',
];

export const metadataOptions: readonly Opt[] = [
  { flags: '--name <text>', sentence: 'The name on the consent page.' },
  {
    flags: '--profile <profile>',
    sentence: 'A whole set of rules that it keeps. Without it: standard.',
    choices: profiles,
  },
  { flags: '--redirect-uri <uri>', sentence: 'A redirect URI.', many: true },
  { flags: '--post-logout-redirect-uri <uri>', sentence: 'A redirect URI after a sign-out.', many: true },
  {
    flags: '--public',
    sentence:
      'A client that cannot keep a secret (a browser or native application): it has no secret and must use PKCE.',
  },
  {
    flags: '--auth-method <method>',
    sentence: 'The authentication method. Without it: client_secret_basic, which includes client_secret_post.',
    choices: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  },
  {
    flags: '--grant-type <type>',
    sentence: 'A grant type that it may use. Without it: authorization_code and refresh_token.',
    choices: ['authorization_code', 'refresh_token', 'client_credentials', 'device_code'],
    many: true,
  },
  { flags: '--scope <scopes>', sentence: 'The only scopes it may request, separated by spaces.' },
  { flags: '--require-pkce', sentence: 'It must use PKCE. Public clients always must.' },
  {
    flags: '--no-require-pkce',
    sentence: 'It may leave PKCE out. This is the default for clients that authenticate.',
  },
  { flags: '--dpop', sentence: 'Its access tokens are bound to its key: the token endpoint demands a DPoP proof.' },
  { flags: '--no-dpop', sentence: 'It may send proofs, and gets Bearer tokens without one. This is the default.' },
  {
    flags: '--require-par',
    sentence: 'It must push its authorization requests (RFC 9126).',
  },
  { flags: '--no-require-par', sentence: 'It may push them or send them by the browser. This is the default.' },
  {
    flags: '--redirect-scheme <scheme>',
    sentence: 'A private-use scheme without a dot that its redirect URIs may have, besides the known ones.',
    many: true,
  },
  {
    flags: '--allow-insecure-redirects',
    sentence: 'Its redirect URIs may be http on any host. A risk; only for networks that you trust.',
  },
  {
    flags: '--second-factor <rule>',
    sentence: "Whether people need a second factor for it, if that is stricter than the server's SECOND_FACTOR.",
    choices: ['none', 'offered', 'required'],
  },
  {
    flags: '--id-token-claims <rule>',
    sentence:
      'The claims in its ID tokens: all that the scopes allow (all), or only the subject (minimal). Without it: standard.',
    choices: ['standard', 'all', 'minimal'],
  },
  {
    flags: '--consent <policy>',
    sentence:
      'When people are asked for consent: at each authorization (always), for new scopes (new, the default), or never.',
    choices: ['always', 'new', 'never'],
  },
  {
    flags: '--refresh-reuse <rule>',
    sentence:
      'For a public client: whether a replaced refresh token returns its replacement. Never (strict), for some seconds (window), or until the replacement is used, at most 30 minutes (until-used).',
    choices: [...refreshReuseRules],
  },
  {
    flags: '--refresh-reuse-seconds <seconds>',
    sentence: 'The length of that window; implies window. Without it: the setting of the server.',
    number: [1, refreshReuseMax],
  },
  { flags: '--contact <email>', sentence: 'The e-mail address of a contact.', many: true },
  {
    flags: '--type <type>',
    sentence: 'Without it: native if a redirect URI has a private-use scheme, otherwise web.',
    choices: ['web', 'native'],
  },
  { flags: '--uri <uri>', sentence: 'Its home page.' },
  { flags: '--logo-uri <uri>', sentence: 'Its logo.' },
  { flags: '--policy-uri <uri>', sentence: 'Its privacy policy.' },
  { flags: '--tos-uri <uri>', sentence: 'Its terms of service.' },
  { flags: '--jwks-uri <uri>', sentence: 'The address of its public keys, for private_key_jwt.' },
  { flags: '--backchannel-logout-uri <uri>', sentence: 'The address that is told when a session ends.' },
  {
    flags: '--file <path>',
    sentence: 'A JSON file of client metadata (RFC 7591); `-` is standard input. Options override it.',
  },
];

export interface Wanted {
  /**
   * As in the file. Unknown members are dropped with a warning, or refused by core/clients/metadata/client-metadata.
   */
  readonly metadata: JsonObject;
  /** Members of the file that are not metadata. */
  readonly id: string | undefined;
  readonly secret: string | undefined;
  readonly version: number | undefined;
  readonly disabled: boolean;
  readonly unreviewed: boolean;
}

/** Combines the file and the options. Throws `UsageError`. */
export async function wanted(call: Call): Promise<Wanted> {
  const file = call.text('file');
  const { metadata, ...told } = file === undefined ? nothing : await readMetadata(call, file);
  for (const [option, member] of Object.entries(textMembers)) {
    const value = call.text(option);
    if (value !== undefined) metadata[member] = value;
  }
  for (const [option, member] of Object.entries(listMembers)) {
    const values = call.texts(option);
    if (values.length > 0)
      metadata[member] = values.map((value) => (isDeviceCode(member, value) ? deviceGrant : value));
  }
  const pkce = call.flag('require-pkce');
  if (pkce !== undefined) metadata.require_pkce = pkce;
  const dpop = call.flag('dpop');
  if (dpop !== undefined) metadata.dpop_bound_access_tokens = dpop;
  const par = call.flag('require-par');
  if (par !== undefined) metadata.require_pushed_authorization_requests = par;
  if (call.flag('allow-insecure-redirects')) metadata.allow_insecure_redirects = true;
  Object.assign(metadata, refreshReuseOf(call));
  if (call.flag('public')) {
    const method = call.text('auth-method');
    if (method !== undefined && method !== 'none')
      throw new UsageError(`--public and --auth-method ${method} cannot be combined.`);
    metadata.token_endpoint_auth_method = 'none';
  }
  return { metadata, ...told };
}

/** The grant type's own name is long to type. */
const isDeviceCode = (member: string, value: string) => member === 'grant_types' && value === 'device_code';
/** The two members go together: a new rule drops the seconds of the old one. */
function refreshReuseOf(call: Call): JsonObject {
  const rule = call.text('refresh-reuse');
  const seconds = call.number('refresh-reuse-seconds');
  if (rule === undefined && seconds === undefined) return {};
  if (seconds !== undefined && rule !== undefined && rule !== 'window')
    throw new UsageError(`--refresh-reuse ${rule} and --refresh-reuse-seconds cannot be combined.`);
  return { refresh_reuse: rule ?? 'window', refresh_reuse_seconds: seconds ?? null };
}

const nothing = {
  get metadata(): JsonObject {
    return {};
  },
  id: undefined,
  secret: undefined,
  version: undefined,
  disabled: false,
  unreviewed: false,
};

async function readMetadata(call: Call, file: string): Promise<Wanted> {
  const read = await readJsonObject(file, call.terminal);
  const metadata = Object.entries(read).filter(([name]) => !shownMembers.includes(name));
  const { version } = read;
  if (version !== undefined && !(typeof version === 'number' && Number.isSafeInteger(version)))
    throw new UsageError('version must be a whole number.');
  return {
    metadata: Object.fromEntries(metadata),
    id: textOf(read, 'client_id'),
    secret: textOf(read, 'client_secret'),
    version,
    disabled: typeof read.disabled_at === 'number',
    unreviewed: read.reviewed_at === null,
  };
}

/** A file cannot disable an application or revoke its review. `is`: the stored or new application. */
export function warnOfState(
  { terminal }: Pick<Call, 'terminal'>,
  { disabled, unreviewed }: Wanted,
  is: Pick<ClientRecord, 'disabledAt' | 'reviewedAt'>,
): void {
  if (disabled && is.disabledAt === null) terminal.remark('Not used: disabled_at. See: clients disable');
  if (unreviewed && is.reviewedAt !== null)
    terminal.remark('Not used: reviewed_at. The application is a reviewed one. See: clients review --revoke');
}

/** The string member `name`; undefined if it is missing or null. */
function textOf(read: JsonObject, name: string): string | undefined {
  const value: JsonValue | undefined = read[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new UsageError(`${name} must be a string.`);
  return value;
}
