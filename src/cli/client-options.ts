/** The metadata of an application, as the options of a command and a file of JSON say it (RFC 7591, section 2). */
import type { JsonObject } from '../base/json.ts';
import type { Call, Opt } from './command.ts';
import { readJsonObject } from './json-file.ts';
import { UsageError } from './usage-error.ts';

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

/** The metadata and the id that the file and the options ask for. */
export async function wanted(call: Call): Promise<{ metadata: JsonObject; id: string | undefined }> {
  const file = call.text('file');
  const metadata: JsonObject = file === undefined ? {} : await readJsonObject(file, call.terminal);
  const inFile = metadata.client_id;
  if (inFile !== undefined && typeof inFile !== 'string') throw new UsageError('client_id must be a string.');
  delete metadata.client_id;
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
  return { metadata, id: call.text('id') ?? inFile };
}
