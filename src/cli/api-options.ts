/** An API from the options of a command and a JSON file. */
import type { JsonObject, JsonValue } from '../base/json.ts';
import type { ApiRecord, ApiScope } from '../core/stores/apis.ts';
import type { Call, Opt } from './command.ts';
import { readJsonObject } from './json-file.ts';
import { UsageError } from './usage-error.ts';

const marks = ['default', 'optional', 'held', 'bearer'] as const;

export const apiOptions: readonly Opt[] = [
  { flags: '--name <text>', sentence: 'The name on the consent page.' },
  { flags: '--scope <name=sentence>', sentence: 'A scope, and one plain sentence about what it allows.', many: true },
  {
    flags: '--default <scope>',
    sentence: 'A scope that requests for this API get if they have no `scope`.',
    many: true,
  },
  {
    flags: '--optional <scope>',
    sentence: 'A scope that people can untick on the consent page.',
    many: true,
  },
  {
    flags: '--held <scope>',
    sentence: 'A scope only for people whose roles include it. There are no roles yet, so no one gets it.',
    many: true,
  },
  {
    flags: '--bearer <scope>',
    sentence: "A scope that the bearer of a tinyoauth token may allow on tinyoauth's /authorize, without a page.",
    many: true,
  },
  {
    flags: '--token-format <format>',
    sentence: 'The format of its access tokens. Without it: jwt.',
    choices: ['jwt', 'opaque'],
  },
  {
    flags: '--token-typ <typ>',
    sentence: 'The typ of its JWTs; JWT is for resource servers that refuse at+jwt. Without it: at+jwt.',
    choices: ['at+jwt', 'JWT'],
  },
  {
    flags: '--signing-alg <alg>',
    sentence: 'The signature algorithm of its JWTs. Without it: ES256.',
    choices: ['ES256', 'RS256'],
  },
  {
    flags: '--token-lifetime <seconds>',
    sentence: 'How long its access tokens work. Without it: ACCESS_TOKEN_TTL.',
    number: [1, 86_400],
  },
  { flags: '--introspector <client-id>', sentence: "A client that may introspect this API's tokens.", many: true },
  {
    flags: '--mcp-server',
    sentence: 'An MCP server. Its identifier is its address, and it needs a default scope.',
  },
];

/** Options to remove values; only `apis update` has them. */
export const removalOptions: readonly Opt[] = [
  { flags: '--remove-scope <name>', sentence: 'Remove a scope. No new token gets it.', many: true },
  {
    flags: '--plain <scope>',
    sentence: 'Remove the marks default, optional, held and bearer from a scope.',
    many: true,
  },
  { flags: '--remove-introspector <client-id>', sentence: 'Remove a client from the introspectors.', many: true },
  { flags: '--server-lifetime', sentence: 'Its access tokens work for ACCESS_TOKEN_TTL again.' },
  { flags: '--no-mcp-server', sentence: 'It is not an MCP server.' },
];

export async function fileOf(call: Call): Promise<JsonObject> {
  const file = call.text('file');
  return file === undefined ? {} : readJsonObject(file, call.terminal);
}

/** A new API: the file, with the options over it. */
export function added(call: Call, file: JsonObject): JsonObject {
  const scopes = scopesOf(call);
  const introspectors = call.texts('introspector');
  const input = {
    ...file,
    ...membersOf(call),
    ...(scopes.length > 0 && { scopes }),
    ...(introspectors.length > 0 && { introspectors: [...introspectors] }),
  };
  return { ...input, ...(input.scopes !== undefined && { scopes: marked(call, input.scopes) }) };
}

/** A stored API with the changes: members of the file replace its own, then the options add and remove values. */
export function changed(call: Call, file: JsonObject, api: ApiRecord): JsonObject {
  const input: JsonObject = { ...presented(api), ...file };
  const plain = call.texts('plain');
  let scopes = listOf(input.scopes);
  for (const name of [...call.texts('remove-scope'), ...plain]) known(scopes, name);
  for (const { name, sentence } of scopesOf(call)) {
    const before = scopes.find((scope) => scope.name === name);
    if (before) before.sentence = sentence;
    else scopes = [...scopes, { name, sentence }];
  }
  scopes = scopes.filter(({ name }) => !call.texts('remove-scope').includes(String(name)));
  for (const scope of scopes) if (plain.includes(String(scope.name))) for (const mark of marks) scope[mark] = false;
  const gone = call.texts('remove-introspector');
  const introspectors = [
    ...(Array.isArray(input.introspectors) ? input.introspectors : []),
    ...call.texts('introspector'),
  ];
  return {
    ...input,
    ...membersOf(call),
    ...(call.flag('server-lifetime') === true && { tokenLifetime: null }),
    scopes: marked(call, scopes),
    introspectors: [...new Set(introspectors)].filter((id) => !gone.includes(String(id))),
  };
}

export function presented({ scopes, introspectors, ...api }: ApiRecord): JsonObject {
  return { ...api, scopes: scopes.map((scope) => ({ ...scope })), introspectors: [...introspectors] };
}

/** For example `read (default, optional)`. */
export function scopeText(scope: ApiScope): string {
  const set = marks.filter((mark) => scope[mark]);
  return set.length === 0 ? scope.name : `${scope.name} (${set.join(', ')})`;
}

function membersOf(call: Call): JsonObject {
  const given: Record<string, JsonValue | undefined> = {
    name: call.text('name'),
    tokenFormat: call.text('token-format'),
    tokenTyp: call.text('token-typ'),
    signingAlg: call.text('signing-alg'),
    tokenLifetime: call.number('token-lifetime'),
    mcpServer: call.flag('mcp-server'),
  };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function scopesOf(call: Call): { name: string; sentence: string }[] {
  return call.texts('scope').map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--scope needs a name and a sentence: --scope "${text}=What it allows."`);
    return { name: text.slice(0, at), sentence: text.slice(at + 1) };
  });
}

function marked(call: Call, input: JsonValue): JsonValue {
  const scopes = listOf(input);
  for (const mark of marks) for (const name of call.texts(mark)) known(scopes, name)[mark] = true;
  // Core refuses anything that is not a list of objects.
  return Array.isArray(input) && scopes.length === input.length ? scopes : input;
}

function listOf(input: JsonValue | undefined): JsonObject[] {
  return (Array.isArray(input) ? input : []).flatMap((scope) =>
    typeof scope === 'object' && scope !== null && !Array.isArray(scope) ? [{ ...scope }] : [],
  );
}

function known(scopes: readonly JsonObject[], name: string): JsonObject {
  const scope = scopes.find((one) => one.name === name);
  if (scope) return scope;
  const names = scopes.map((one) => String(one.name)).join(', ');
  throw new UsageError(`The API has no scope ${name}. It has: ${names || 'none'}.`);
}
