/** The metadata of an application, as the options of a command and a file of JSON say it (RFC 7591, section 2). */
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import type { Call, Opt } from '../command.ts';
import { readJsonObject } from '../json-file.ts';
import { UsageError } from '../usage-error.ts';

/** Options that are one member of the metadata each. */
const textMembers: Readonly<Record<string, string>> = {
  name: 'client_name',
  'auth-method': 'token_endpoint_auth_method',
  scope: 'scope',
  type: 'application_type',
  uri: 'client_uri',
  'logo-uri': 'logo_uri',
  'policy-uri': 'policy_uri',
  'tos-uri': 'tos_uri',
  'jwks-uri': 'jwks_uri',
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

/** Members that `clients show --json` prints beside the metadata: given back in a file they change nothing. */
const shownMembers: readonly string[] = [
  ...['client_id', 'client_secret', 'client_secret_expires_at', 'client_id_issued_at', 'updated_at', 'reviewed_at'],
  ...['disabled_at', 'origin', 'owner', 'version', 'secrets', 'issuer', 'openid_configuration'],
  ...['risks', 'dropped', 'unprotected_at'],
];

export const metadataOptions: readonly Opt[] = [
  { flags: '--name <text>', sentence: 'What people read on the consent page.' },
  { flags: '--redirect-uri <uri>', sentence: 'Where people are sent back to.', many: true },
  { flags: '--post-logout-redirect-uri <uri>', sentence: 'Where people are sent after a logout.', many: true },
  { flags: '--public', sentence: 'It cannot keep a secret (a browser or native application): no secret, PKCE always.' },
  {
    flags: '--auth-method <method>',
    sentence: 'How it authenticates. Without it: client_secret_basic, which includes _post.',
    choices: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  },
  {
    flags: '--grant-type <type>',
    sentence: 'What it may use. Without it: authorization_code and refresh_token.',
    choices: ['authorization_code', 'refresh_token', 'client_credentials'],
    many: true,
  },
  { flags: '--scope <scopes>', sentence: 'The only scopes it may have, with spaces between them.' },
  { flags: '--require-pkce', sentence: 'It must use PKCE; a public client must in any case.' },
  {
    flags: '--no-require-pkce',
    sentence: 'It may leave PKCE out, as a client that authenticates may unless it was to use it before.',
  },
  {
    flags: '--redirect-scheme <scheme>',
    sentence: 'A private-use scheme without a dot that its redirect URIs may have, beside the known ones.',
    many: true,
  },
  {
    flags: '--allow-insecure-redirects',
    sentence: 'Its redirect URIs may be http on any host: a risk, for networks that you trust.',
  },
  {
    flags: '--second-factor <rule>',
    sentence: "Whether its people need a second factor, where that is stricter than the server's SECOND_FACTOR.",
    choices: ['none', 'offered', 'required'],
  },
  {
    flags: '--id-token-claims <rule>',
    sentence:
      'What its ID tokens say of a person. Without it: standard; all is what the scopes allow, minimal who it is.',
    choices: ['standard', 'all', 'minimal'],
  },
  {
    flags: '--consent <policy>',
    sentence:
      'When its people are asked for their consent: at each authorization, for what is new (the default), or never.',
    choices: ['always', 'new', 'never'],
  },
  { flags: '--contact <email>', sentence: 'Who is responsible for it.', many: true },
  {
    flags: '--type <type>',
    sentence: 'Without it: native where a redirect URI has a scheme of its own, otherwise web.',
    choices: ['web', 'native'],
  },
  { flags: '--uri <uri>', sentence: 'Its home page.' },
  { flags: '--logo-uri <uri>', sentence: 'Its logo.' },
  { flags: '--policy-uri <uri>', sentence: 'Its privacy policy.' },
  { flags: '--tos-uri <uri>', sentence: 'Its terms of service.' },
  { flags: '--jwks-uri <uri>', sentence: 'Where its public keys are, for private_key_jwt.' },
  {
    flags: '--file <path>',
    sentence: 'A JSON file of client metadata (RFC 7591); `-` is standard input. Options win over it.',
  },
];

export interface Wanted {
  /** As in the file: what is not known is dropped with a word, or refused by the check (core/clients/client-metadata). */
  readonly metadata: JsonObject;
  /** From the file, and no metadata. */
  readonly id: string | undefined;
  readonly secret: string | undefined;
  readonly version: number | undefined;
  readonly disabled: boolean;
  readonly unreviewed: boolean;
}

/** What the file and the options ask for. Throws `UsageError`. */
export async function wanted(call: Call): Promise<Wanted> {
  const file = call.text('file');
  const { metadata, ...told } = file === undefined ? nothing : await readMetadata(call, file);
  for (const [option, member] of Object.entries(textMembers)) {
    const value = call.text(option);
    if (value !== undefined) metadata[member] = value;
  }
  for (const [option, member] of Object.entries(listMembers)) {
    const values = call.texts(option);
    if (values.length > 0) metadata[member] = [...values];
  }
  const pkce = call.flag('require-pkce');
  if (pkce !== undefined) metadata.require_pkce = pkce;
  if (call.flag('allow-insecure-redirects')) metadata.allow_insecure_redirects = true;
  if (call.flag('public')) {
    const method = call.text('auth-method');
    if (method !== undefined && method !== 'none')
      throw new UsageError(`--public and --auth-method ${method} do not go together.`);
    metadata.token_endpoint_auth_method = 'none';
  }
  return { metadata, ...told };
}

const nothing = {
  get metadata(): JsonObject {
    return {};
  },
  ...{ id: undefined, secret: undefined, version: undefined, disabled: false, unreviewed: false },
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

/** No file disables an application, or takes back its review. `is`: what it is already, or is made. */
export function warnOfState(
  { terminal }: Pick<Call, 'terminal'>,
  { disabled, unreviewed }: Wanted,
  is: Pick<ClientRecord, 'disabledAt' | 'reviewedAt'>,
): void {
  if (disabled && is.disabledAt === null) terminal.remark('Not used: disabled_at. See: clients disable');
  if (unreviewed && is.reviewedAt !== null)
    terminal.remark('Not used: reviewed_at. The application is a reviewed one. See: clients review --revoke');
}

/** A member that is a string or not there; null is not there. */
function textOf(read: JsonObject, name: string): string | undefined {
  const value: JsonValue | undefined = read[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new UsageError(`${name} must be a string.`);
  return value;
}
