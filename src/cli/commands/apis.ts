import type { JsonObject } from '../../base/json.ts';
import type { ApiRecord } from '../../core/stores/apis.ts';
import { type Call, type Command, done, type Noun, refused, via } from '../command.ts';
import { readJsonObject } from '../json-file.ts';
import { facts, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';

const presented = ({ scopes, introspectors, ...api }: ApiRecord) => ({
  ...api,
  scopes: scopes.map(({ name, sentence }) => ({ name, sentence })),
  introspectors: [...introspectors],
});

function shown(api: ApiRecord): string {
  return facts({
    Identifier: api.identifier,
    Name: api.name,
    Scopes: api.scopes.map(({ name, sentence }) => `${name}: ${sentence}`),
    Tokens: `${api.tokenFormat}, ${api.tokenLifetime === null ? 'ACCESS_TOKEN_TTL' : `${api.tokenLifetime} s`}`,
    Introspectors: api.introspectors,
  });
}

const add: Command = {
  name: 'add',
  sentence: 'Add an API, or replace the one with this identifier.',
  args: [
    {
      name: '[identifier]',
      sentence: 'The audience of its tokens: an absolute URI. It may stand in the file instead.',
    },
  ],
  options: [
    { flags: '--name <text>', sentence: 'What people read on the consent page.' },
    {
      flags: '--scope <name=sentence>',
      sentence: 'A scope, and what it allows in one plain sentence.',
      many: true,
    },
    {
      flags: '--token-format <format>',
      sentence: 'What its access tokens are. Without it: jwt.',
      choices: ['jwt', 'opaque'],
    },
    {
      flags: '--token-lifetime <seconds>',
      sentence: 'How long its access tokens work. Without it: ACCESS_TOKEN_TTL.',
      number: [1, 86_400],
    },
    { flags: '--introspector <client-id>', sentence: "A client that may introspect this API's tokens.", many: true },
    {
      flags: '--file <path>',
      sentence: 'A JSON file as `apis list --json` shows each API; `-` is standard input. Options win over it.',
    },
  ],
  examples: [
    'apis add https://orders.example.com --name Orders --scope "orders:read=See your orders."',
    'apis add --file orders.json',
  ],
  async run(call) {
    const input = await wanted(call);
    const core = await call.core();
    const saved = await core.apis.add(input);
    if (saved.outcome === 'invalid') return refused('invalid_api', `The API was refused: ${saved.description}.`);
    await core.audit.record('api.added', { detail: { ...via, identifier: saved.api.identifier } });
    return done(presented(saved.api), `Saved ${saved.api.name}.\n\n${shown(saved.api)}`);
  },
};

async function wanted(call: Call): Promise<JsonObject> {
  const [identifier] = call.args;
  const file = call.text('file');
  const input: JsonObject = file === undefined ? {} : await readJsonObject(file, call.terminal);
  if (identifier !== undefined) input.identifier = identifier;
  if (input.identifier === undefined)
    throw new UsageError('Name the API by its identifier, or give a --file that does.');
  const scopes = call.texts('scope').map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--scope needs a name and a sentence: --scope "${text}=What it allows."`);
    return { name: text.slice(0, at), sentence: text.slice(at + 1) };
  });
  const introspectors = call.texts('introspector');
  const given: Record<string, JsonObject[string] | undefined> = {
    name: call.text('name'),
    tokenFormat: call.text('token-format'),
    tokenLifetime: call.number('token-lifetime'),
    scopes: scopes.length > 0 ? scopes : undefined,
    introspectors: introspectors.length > 0 ? [...introspectors] : undefined,
  };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) input[name] = value;
  return input;
}

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
      scopes.map((scope) => scope.name).join(' '),
    ]);
    return done(apis.map(presented), table(['IDENTIFIER', 'NAME', 'TOKENS', 'SCOPES'], rows, ''));
  },
};

const remove: Command = {
  name: 'remove',
  sentence: 'Remove an API: no more tokens are made for it.',
  args: [{ name: '<identifier>', sentence: 'Its identifier, as `apis list` shows it.' }],
  details: 'Tokens already made for it work until they end.',
  examples: ['apis remove https://orders.example.com'],
  async run(call) {
    const [identifier = ''] = call.args;
    const core = await call.core();
    switch ((await core.apis.remove(identifier)).outcome) {
      case 'unknown':
        return refused('not_found', `There is no API ${identifier}. See: apis list`);
      case 'built-in':
        return refused('built_in', 'The user API is built in and stays.');
      case 'removed':
        await core.audit.record('api.removed', { detail: { ...via, identifier } });
        return done({ identifier, removed: true }, `Removed ${identifier}.`);
    }
  },
};

export const apis: Noun = {
  name: 'apis',
  sentence: 'The APIs that tokens are made for (resource servers, RFC 8707).',
  commands: [add, list, remove],
};
