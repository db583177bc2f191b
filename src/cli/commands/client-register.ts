/** `clients register`, with or without a kind of application. */
import type { JsonObject } from '../../base/json.ts';
import { type ClientKind, clientKinds, isClientKind, ofKind } from '../../core/clients/client-kinds.ts';
import { secretBits } from '../../core/clients/client-secrets.ts';
import { identityScopes } from '../../core/kernel/identity-scopes.ts';
import { nearestWord } from '../../core/refusals/nearest.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { invalid } from '../clients/client-argument.ts';
import { metadataOptions, wanted, warnOfState } from '../clients/client-options.ts';
import { warn } from '../clients/client-risks.ts';
import { scopeMistake } from '../clients/client-scopes.ts';
import { listed, nameOf, presented, shown } from '../clients/client-text.ts';
import { type Call, type Command, done, refused, via } from '../command.ts';
import { facts, shownOnce } from '../text.ts';
import { UsageError } from '../usage-error.ts';

const kinds = Object.keys(clientKinds);

export const register: Command = {
  name: 'register',
  sentence: 'Register an application. Its secret is shown only now.',
  args: [
    {
      name: '[kind]',
      sentence: `What it is. It sets what such an application needs: ${Object.entries(clientKinds)
        .map(([kind, what]) => `${kind} (${what})`)
        .join(', ')}. Without it: what the options say.`,
    },
  ],
  options: [{ flags: '--id <id>', sentence: 'The client id. Without it: a random one.' }, ...metadataOptions],
  details:
    'A file may contain the client_id and the client_secret of an application that moves here. The secret keeps working, and only ' +
    'its hash is stored. The secret needs 128 bits of randomness.',
  examples: [
    'clients register web --name Bookshelf --redirect-uri https://app.example.com/callback',
    'clients register spa --name "Bookshelf in the browser" --redirect-uri https://app.example.com/callback',
    'clients register native --name "Bookshelf for the desk" --redirect-uri http://127.0.0.1/callback',
    'clients register web --name Bank --profile fapi2 --redirect-uri https://bank.example.com/cb --jwks-uri https://bank.example.com/jwks',
    'clients register mcp-client --name "Our agent" --redirect-uri http://127.0.0.1/callback',
    'clients register device --name "Living room TV"',
    'clients register service --name "Nightly report" --scope orders:read',
    'clients register --name Bookshelf --redirect-uri https://app.example.com/callback --second-factor required',
    'clients register --file bookshelf.json --json',
  ],
  async run(call) {
    const kind = kindOf(call);
    const told = await wanted(call);
    const { metadata: given, id: idInFile, secret } = told;
    const core = await call.core();
    const asked = kind === undefined ? { metadata: given } : askedOf(kind, given, secret);
    if ('mistake' in asked) return refused('contradiction', asked.mistake);
    const unknownScope = scopeMistake(asked.metadata, core);
    if (unknownScope !== undefined && kind !== undefined) return refused('unknown_scope', unknownScope);
    if (unknownScope !== undefined) call.terminal.remark(unknownScope);
    const id = call.text('id') ?? idInFile;
    const made = await core.clients.register(asked.metadata, {
      origin: 'cli',
      owner: null,
      ...(id !== undefined && { id }),
      ...(secret !== undefined && { secret }),
    });
    if (made.outcome === 'invalid') return invalid(made);
    const dropped = warn(call, made);
    warnOfState(call, told, made.client);
    if (secret !== undefined) remarkOnSecret(call, secret, made.client.id);
    const detail = secret === undefined ? via : { ...via, secret: 'given' };
    await core.audit.record('client.registered', { clientId: made.client.id, detail });
    const { issuer } = core.config;
    const at = { issuer, openid_configuration: `${issuer}/.well-known/openid-configuration` };
    const text = kind === undefined ? shown(made.client, made.secret) : toPaste(kind, made.client, made.secret, issuer);
    const what = kind === undefined ? '' : ` as ${kind}`;
    return done(
      { ...at, ...presented(made.client, made.secret), ...dropped },
      `Registered ${nameOf(made.client)}${what}.\n\n${text}`,
    );
  },
};

function kindOf(call: Call): ClientKind | undefined {
  const [kind] = call.args;
  if (kind === undefined) return undefined;
  if (isClientKind(kind)) {
    if (call.text('name') === undefined && call.text('file') === undefined)
      throw new UsageError(`The name is missing: clients register ${kind} --name NAME`);
    return kind;
  }
  const nearest = nearestWord(kind, kinds);
  throw new UsageError(
    `There is no kind ${kind}. ${nearest === undefined ? `The kinds are: ${kinds.join(', ')}.` : `Did you mean ${nearest}?`}`,
  );
}

function askedOf(kind: ClientKind, given: JsonObject, secret: string | undefined) {
  const asked = ofKind(kind, secret === undefined ? given : { ...given, client_secret: secret }, identityScopes);
  if ('mistake' in asked) return asked;
  const { client_secret: _secret, ...metadata } = asked.metadata;
  return { metadata };
}

function remarkOnSecret(call: Call, secret: string, id: string): void {
  const bits = secretBits(secret);
  if (bits < 256)
    call.terminal.remark(
      `The given secret has at most ${bits} bits of randomness; a generated one has 256. After the move: clients rotate ${id}`,
    );
}

/** The values that the application's own settings need. */
function toPaste(kind: ClientKind, client: ClientRecord, secret: string | undefined, issuer: string): string {
  const origins = listed(client.metadata.redirect_uris).flatMap((uri) => URL.parse(uri)?.origin ?? []);
  return facts({
    Issuer: issuer,
    'Client id': client.id,
    'Client secret':
      secret === undefined ? (client.secrets.length > 0 ? 'as given' : undefined) : `${secret}  ${shownOnce}`,
    Discovery: `${issuer}/.well-known/openid-configuration`,
    Profile: listed(client.metadata.profile),
    'Pushes to': client.metadata.require_pushed_authorization_requests === true ? `${issuer}/oauth/par` : undefined,
    'Device endpoint': kind === 'device' ? `${issuer}/oauth/device` : undefined,
    'Codes are typed at': kind === 'device' ? `${issuer}/device` : undefined,
    'Token endpoint': kind === 'service' || kind === 'device' ? `${issuer}/oauth/token` : undefined,
    'Redirect URIs': listed(client.metadata.redirect_uris),
    'May call from': kind === 'spa' ? [...new Set(origins)] : undefined,
    Scopes: listed(client.metadata.scope),
  });
}
