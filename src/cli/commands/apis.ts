import { resourceMetadataAddress, resourceMetadataOf } from '../../core/apis/resource-metadata.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';
import { added, apiOptions, changed, fileOf, presented, removalOptions, scopeText } from '../api-options.ts';
import { type Command, done, type Noun, refused, via } from '../command.ts';
import { facts, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';

function shown(api: ApiRecord): string {
  const { tokenFormat, tokenTyp, signingAlg, tokenLifetime } = api;
  const metadata = api.mcpServer ? resourceMetadataAddress(api.identifier) : undefined;
  return facts({
    Identifier: api.identifier,
    Name: api.name,
    Scopes: api.scopes.map((scope) => `${scopeText(scope)}: ${scope.sentence}`),
    Tokens: [
      ...(tokenFormat === 'jwt' ? [`jwt, typ ${tokenTyp}, ${signingAlg}`] : [tokenFormat]),
      tokenLifetime === null ? 'ACCESS_TOKEN_TTL' : `${tokenLifetime} s`,
    ].join(', '),
    Introspectors: api.introspectors,
    'MCP server': api.mcpServer ? 'yes' : undefined,
    ...(metadata && { Metadata: metadata }),
  });
}

/** Says where agents look for the metadata of an MCP server, and who answers there. */
function savedText(api: ApiRecord, issuer: string): string {
  const text = `Saved ${api.name}.\n\n${shown(api)}`;
  if (!api.mcpServer) return text;
  const { origin, pathname } = new URL(api.identifier);
  if (origin !== new URL(issuer).origin)
    return `${text}\n\nAgents read the metadata from its own address. Serve there what this prints: apis metadata ${api.identifier}`;
  return pathname === '/'
    ? `${text}\n\nThis server does not forward requests for its own root: give the MCP server a path.`
    : `${text}\n\nThis server answers there if a gateway route has prefix: ${pathname} and audience: ${api.identifier}`;
}

const builtIn = refused('built_in', 'The user API is built in and cannot be changed or removed.');
const unknown = (identifier: string) => refused('not_found', `There is no API ${identifier}. See: apis list`);

const add: Command = {
  name: 'add',
  sentence: 'Add an API, or replace the one with this identifier.',
  args: [
    {
      name: '[identifier]',
      sentence: 'The audience of its tokens: an absolute URI. The file may contain it instead.',
    },
  ],
  options: [
    ...apiOptions,
    {
      flags: '--file <path>',
      sentence: 'A JSON file in the form of `apis list --json`; `-` is standard input. Options override it.',
    },
  ],
  examples: [
    'apis add https://orders.example.com --name Orders --scope "orders:read=See your orders." --default orders:read',
    'apis add https://orders.example.com/mcp --mcp-server --name Orders --scope "orders:read=See your orders." --default orders:read',
    'apis add --file orders.json',
  ],
  async run(call) {
    const [identifier] = call.args;
    const input = added(call, await fileOf(call));
    if (identifier !== undefined) input.identifier = identifier;
    if (input.identifier === undefined)
      throw new UsageError('The identifier is missing. Give it as the argument, or in a --file.');
    const core = await call.core();
    const saved = await core.apis.add(input);
    if (saved.outcome === 'invalid') return refused('invalid_api', `The API was refused: ${saved.description}.`);
    await core.audit.record('api.added', { detail: { ...via, identifier: saved.api.identifier } });
    return done(presented(saved.api), savedText(saved.api, core.config.issuer));
  },
};

const update: Command = {
  name: 'update',
  sentence: 'Change an API. Values that are not given stay as they are.',
  args: [{ name: '<identifier>', sentence: 'Its identifier, as `apis list` shows it.' }],
  options: [
    ...apiOptions.map((option) => ({ ...option, sentence: option.sentence.replace(/ Without it: [^.]+\./, '') })),
    ...removalOptions,
    {
      flags: '--file <path>',
      sentence: 'A JSON file with the members to replace; `-` is standard input. Options override it.',
    },
  ],
  details:
    'An existing scope gets the new sentence and keeps its marks. Tokens that were already issued do not change.',
  examples: [
    'apis update https://orders.example.com --scope "orders:write=Change your orders." --optional orders:write',
    'apis update https://orders.example.com --token-typ JWT --signing-alg RS256',
  ],
  async run(call) {
    const [identifier = ''] = call.args;
    const file = await fileOf(call);
    const core = await call.core();
    const saved = await core.apis.update(identifier, (api) => changed(call, file, api));
    switch (saved.outcome) {
      case 'unknown':
        return unknown(identifier);
      case 'built-in':
        return builtIn;
      case 'invalid':
        return refused('invalid_api', `The API was refused: ${saved.description}.`);
      case 'saved':
        await core.audit.record('api.updated', { detail: { ...via, identifier: saved.api.identifier } });
        return done(presented(saved.api), savedText(saved.api, core.config.issuer));
    }
  },
};

const list: Command = {
  name: 'list',
  sentence: 'List the APIs, the built-in user API first.',
  examples: ['apis list', 'apis list --json'],
  async run(call) {
    const apis = (await call.core()).apis.list();
    const rows = apis.map(({ identifier, name, tokenFormat, scopes }) => [
      identifier,
      name,
      tokenFormat,
      scopes.map(scopeText).join(', '),
    ]);
    return done(apis.map(presented), table(['IDENTIFIER', 'NAME', 'TOKENS', 'SCOPES'], rows, ''));
  },
};

const remove: Command = {
  name: 'remove',
  sentence: 'Remove an API. The server issues no more tokens for it.',
  args: [{ name: '<identifier>', sentence: 'Its identifier, as `apis list` shows it.' }],
  details: 'Tokens that were already issued work until they expire.',
  examples: ['apis remove https://orders.example.com'],
  async run(call) {
    const [identifier = ''] = call.args;
    const core = await call.core();
    switch ((await core.apis.remove(identifier)).outcome) {
      case 'unknown':
        return unknown(identifier);
      case 'built-in':
        return builtIn;
      case 'removed':
        await core.audit.record('api.removed', { detail: { ...via, identifier } });
        return done({ identifier, removed: true }, `Removed ${identifier}.`);
    }
  },
};

const metadata: Command = {
  name: 'metadata',
  sentence: 'Print the protected resource metadata of an API (RFC 9728), for the server of the API to publish.',
  args: [{ name: '<identifier>', sentence: 'Its identifier, as `apis list` shows it.' }],
  details:
    'The text is JSON, with `--json` and without. Serve it at /.well-known/oauth-protected-resource, followed by the path of the identifier. For a gateway route, this server does.',
  examples: ['apis metadata https://orders.example.com'],
  async run(call) {
    const [identifier = ''] = call.args;
    const core = await call.core();
    const api = core.apis.find(identifier);
    if (!api) return unknown(identifier);
    const document = resourceMetadataOf(api, core.config.issuer);
    return done(document, JSON.stringify(document, null, 2));
  },
};

export const apis: Noun = {
  name: 'apis',
  sentence: 'The APIs that tokens are issued for (resource servers, RFC 8707).',
  commands: [add, update, list, metadata, remove],
};
