import type { InvalidMetadata } from '../../core/client-metadata.ts';
import type { ClientRecord, JsonObject, JsonValue } from '../../core/stores.ts';
import {
  type Arg,
  type Call,
  type Command,
  done,
  type Noun,
  type Opt,
  type Outcome,
  refused,
  via,
} from '../command.ts';
import { readJsonObject } from '../json-file.ts';
import { counted, day, facts, shownOnce, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';

/** Options that are one member of the metadata each (RFC 7591, section 2). */
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
  'backchannel-logout-uri': 'backchannel_logout_uri',
  'second-factor': 'second_factor',
};
const listMembers: Readonly<Record<string, string>> = {
  'redirect-uri': 'redirect_uris',
  'post-logout-redirect-uri': 'post_logout_redirect_uris',
  'grant-type': 'grant_types',
  contact: 'contacts',
};

const metadataOptions: readonly Opt[] = [
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
  { flags: '--require-pkce', sentence: 'It must use PKCE; that is the default.' },
  { flags: '--no-require-pkce', sentence: 'It may leave PKCE out; only for clients that authenticate.' },
  {
    flags: '--second-factor <rule>',
    sentence: "Whether its people need a second factor, where that is stricter than the server's SECOND_FACTOR.",
    choices: ['none', 'offered', 'required'],
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
  { flags: '--backchannel-logout-uri <uri>', sentence: 'Where it wants to hear of logouts.' },
  {
    flags: '--file <path>',
    sentence: 'A JSON file of client metadata (RFC 7591); `-` is standard input. Options win over it.',
  },
];

/** The metadata and the id that the file and the options ask for. */
async function wanted(call: Call): Promise<{ metadata: JsonObject; id: string | undefined }> {
  const file = call.text('file');
  const metadata: JsonObject = file === undefined ? {} : await readJsonObject(file, call.terminal);
  const inFile = metadata.client_id;
  if (inFile !== undefined && typeof inFile !== 'string') throw new UsageError('client_id must be a string.');
  delete metadata.client_id;
  if (file !== undefined) {
    const { metadataMembers } = await import('../../core/client-metadata.ts');
    const ignored = Object.keys(metadata).filter((name) => !metadataMembers.includes(name));
    if (ignored.length > 0) call.terminal.remark(`Not used: ${ignored.join(', ')}.`);
  }
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
  if (call.flag('public')) {
    const method = call.text('auth-method');
    if (method !== undefined && method !== 'none')
      throw new UsageError(`--public and --auth-method ${method} do not go together.`);
    metadata.token_endpoint_auth_method = 'none';
  }
  return { metadata, id: call.text('id') ?? inFile };
}

// ---- what is shown --------------------------------------------------------------------------------------------------

/** RFC 7591, section 3.2.1, and what only an admin sees. Secrets are stored as hashes, which are nobody's business either. */
function presented(client: ClientRecord, secret?: string): { [member: string]: JsonValue } {
  return {
    client_id: client.id,
    // Section 3.2.1: required where there is a secret; 0 is "does not expire".
    ...(secret === undefined ? {} : { client_secret: secret, client_secret_expires_at: 0 }),
    client_id_issued_at: client.createdAt,
    ...client.metadata,
    updated_at: client.updatedAt,
    disabled_at: client.disabledAt,
    origin: client.origin,
    owner: client.owner,
    version: client.version,
    secrets: client.secrets.map(({ createdAt, expiresAt }) => ({ created_at: createdAt, expires_at: expiresAt })),
  };
}

const nameOf = ({ id, metadata }: ClientRecord): string =>
  typeof metadata.client_name === 'string' ? metadata.client_name : id;

const listed = (value: JsonValue | undefined): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : typeof value === 'string' ? [value] : [];

function shown(client: ClientRecord, secret?: string): string {
  const { metadata } = client;
  const secrets = client.secrets.map(
    ({ createdAt, expiresAt }) =>
      `made ${day(createdAt)}${expiresAt === null ? '' : `, works until ${day(expiresAt)}`}`,
  );
  return facts({
    'Client id': client.id,
    'Client secret': secret === undefined ? undefined : `${secret}  ${shownOnce}`,
    Name: listed(metadata.client_name),
    Status: client.disabledAt === null ? 'enabled' : `disabled since ${day(client.disabledAt)}`,
    'Redirect URIs': listed(metadata.redirect_uris),
    'After logout': listed(metadata.post_logout_redirect_uris),
    'Grant types': listed(metadata.grant_types).join(', '),
    Authentication: listed(metadata.token_endpoint_auth_method),
    PKCE: metadata.require_pkce === false ? 'optional' : 'required',
    'Second factor': listed(metadata.second_factor),
    Scopes: listed(metadata.scope),
    Contacts: listed(metadata.contacts),
    Secrets: secret === undefined ? secrets : secrets.slice(1),
    Origin: client.origin,
    Owner: client.owner,
    Made: day(client.createdAt),
    Changed: client.version > 1 ? day(client.updatedAt) : '',
  });
}

const noClient = (id: string): Outcome => refused('not_found', `There is no client ${id}. See: clients list`);

const invalid = ({ error, description }: InvalidMetadata): Outcome =>
  refused(error, `The client was refused: ${description}.`);

// ---- commands -------------------------------------------------------------------------------------------------------

const idArg: Arg = { name: '<id>', sentence: 'Its client id.' };

const register: Command = {
  name: 'register',
  sentence: 'Register an application; its secret is shown this once.',
  options: [{ flags: '--id <id>', sentence: 'The client id. Without it: a random one.' }, ...metadataOptions],
  examples: [
    'clients register --name Bookshelf --redirect-uri https://app.example.com/callback',
    'clients register --name "Bookshelf in the browser" --public --redirect-uri https://app.example.com/callback',
    'clients register --name "Nightly report" --grant-type client_credentials --scope orders:read',
    'clients register --file bookshelf.json --json',
  ],
  async run(call) {
    const { metadata, id } = await wanted(call);
    const core = await call.core();
    const made = await core.clients.register(metadata, {
      origin: 'cli',
      owner: null,
      ...(id === undefined ? {} : { id }),
    });
    if (made.outcome === 'invalid') return invalid(made);
    await core.audit.record('client.registered', { clientId: made.client.id, detail: via });
    return done(
      presented(made.client, made.secret),
      `Registered ${nameOf(made.client)}.\n\n${shown(made.client, made.secret)}`,
    );
  },
};

const list: Command = {
  name: 'list',
  sentence: 'List all applications.',
  examples: ['clients list', 'clients list --json'],
  async run(call) {
    const { clients } = await call.core();
    const all = await call.terminal.progress('Reading applications', async (step) => {
      const read: ClientRecord[] = [];
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: ClientRecord[] = await clients.list(after, 1000);
        read.push(...page);
        step(read.length);
        after = page.length < 1000 ? undefined : page.at(-1)?.id;
      }
      return read;
    });
    const rows = all.map((client) => [
      client.id,
      nameOf(client),
      listed(client.metadata.token_endpoint_auth_method).join(),
      client.disabledAt === null ? 'enabled' : 'disabled',
      client.origin,
      day(client.createdAt),
    ]);
    return done(
      all.map((client) => presented(client)),
      table(
        ['CLIENT ID', 'NAME', 'AUTHENTICATION', 'STATUS', 'ORIGIN', 'MADE'],
        rows,
        'There are no applications yet.',
      ),
    );
  },
};

const show: Command = {
  name: 'show',
  sentence: 'Show one application. Its secret is not shown: only a hash of it is stored.',
  args: [idArg],
  examples: ['clients show bookshelf'],
  async run(call) {
    const [id = ''] = call.args;
    const client = await (await call.core()).clients.find(id);
    return client ? done(presented(client), shown(client)) : noClient(id);
  },
};

const rotate: Command = {
  name: 'rotate',
  sentence: 'Give an application a new secret, shown this once.',
  args: [idArg],
  details: 'The old secret goes on working for CLIENT_SECRET_OVERLAP.',
  examples: ['clients rotate bookshelf'],
  async run(call) {
    const [id = ''] = call.args;
    const core = await call.core();
    const rotated = await core.clients.rotateSecret(id);
    if (rotated.outcome === 'unknown') return noClient(id);
    if (rotated.outcome === 'secretless')
      return refused('no_secret', `The client ${id} authenticates without a secret.`);
    await core.audit.record('client.secret_rotated', { clientId: id, detail: via });
    const [, old] = rotated.client.secrets;
    const ends = old?.expiresAt ? `The old one works until ${day(old.expiresAt)}.` : 'The old one has stopped working.';
    const text = facts({ 'Client id': id, 'Client secret': `${rotated.secret}  ${shownOnce}` });
    return done(
      presented(rotated.client, rotated.secret),
      `${nameOf(rotated.client)} has a new secret. ${ends}\n\n${text}`,
    );
  },
};

const disable: Command = {
  name: 'disable',
  sentence: 'Refuse an application at every door until it is enabled again.',
  args: [idArg],
  details: 'Running servers refuse it, and its tokens at their own endpoints, within a second.',
  examples: ['clients disable bookshelf'],
  run: (call) => switchTo(call, 'disable'),
};

const enable: Command = {
  name: 'enable',
  sentence: 'Let a disabled application in again.',
  args: [idArg],
  examples: ['clients enable bookshelf'],
  run: (call) => switchTo(call, 'enable'),
};

async function switchTo(call: Call, verb: 'disable' | 'enable'): Promise<Outcome> {
  const [id = ''] = call.args;
  const core = await call.core();
  const changed = await core.clients[verb](id);
  if (changed.outcome === 'unknown') return noClient(id);
  await core.audit.record(`client.${verb}d`, { clientId: id, detail: via });
  return done(presented(changed.client), `${nameOf(changed.client)} (${id}) is ${verb}d.`);
}

const remove: Command = {
  name: 'delete',
  sentence: 'Delete an application with every grant, token and consent it was given.',
  args: [idArg],
  options: [{ flags: '--yes', sentence: 'Do not ask.' }],
  details: 'On a terminal it asks before it does so. To stop an application for a while, disable it.',
  examples: ['clients delete bookshelf'],
  async run(call) {
    const [id = ''] = call.args;
    const core = await call.core();
    const client = await core.clients.find(id);
    if (!client) return noClient(id);
    if (
      !call.flag('yes') &&
      !(await call.terminal.confirm(`Delete ${nameOf(client)} (${id}) with everything it was given?`))
    ) {
      return refused('cancelled', 'Nothing was changed.');
    }
    if (!(await core.clients.remove(id))) return noClient(id);
    await core.audit.record('client.deleted', { clientId: id, detail: via });
    return done({ client_id: id, deleted: true }, `Deleted ${nameOf(client)} (${id}).`);
  },
};

const reload: Command = {
  name: 'reload',
  sentence: 'Have every running server read all applications anew from the database.',
  details:
    'Only needed after the database was changed by other means, for example a restored back-up. No request fails meanwhile.',
  examples: ['clients reload'],
  async run(call) {
    const core = await call.core();
    const loaded = await call.terminal.progress('Reloading applications', () => core.cached.reload());
    await core.audit.record('client.cache_reloaded', { detail: { ...via, clients: loaded } });
    return done({ loaded }, `Reloaded ${counted(loaded, 'application', 'applications')}.`);
  },
};

export const clients: Noun = {
  name: 'clients',
  sentence: 'Applications: who may ask for tokens.',
  commands: [register, list, show, rotate, disable, enable, remove, reload],
};
