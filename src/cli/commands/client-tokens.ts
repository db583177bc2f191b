import type { JsonValue } from '../../base/json.ts';
import type { ClientToken } from '../../core/stores/clients.ts';
import { noClient } from '../clients/client-argument.ts';
import { type Arg, type Command, done, type Noun, refused, via } from '../command.ts';
import { day, facts, shownOnce, table } from '../text.ts';

const clientArg: Arg = { name: '<client-id>', sentence: 'The client id of the application.' };
const DAY = 86_400;

function presented({ id, label, createdAt, expiresAt }: ClientToken): { [member: string]: JsonValue } {
  return { id, label, created_at: createdAt, expires_at: expiresAt };
}

const issue: Command = {
  name: 'issue',
  sentence: 'Issue a token with which an application opens sessions. It is shown only now.',
  args: [clientArg],
  options: [
    { flags: '--label <text>', sentence: 'A name for lists.' },
    {
      flags: '--days <number>',
      sentence: 'How long it works. Without it: until it is revoked.',
      number: [1, 3660],
    },
  ],
  examples: ['client-tokens issue bookshelf --label "night report" --days 365'],
  async run(call) {
    const [clientId = ''] = call.args;
    const core = await call.core();
    const days = call.number('days');
    const label = call.text('label') ?? '';
    const made = await core.clients.issueToken(clientId, { label, lifetime: days === undefined ? null : days * DAY });
    if (made.outcome === 'unknown') return noClient(clientId);
    if (made.outcome === 'too-many')
      return refused('too_many', `The client ${clientId} has the maximum number of tokens. Revoke one first.`);
    const { token, value } = made;
    await core.audit.record('client.token_issued', { clientId, detail: { ...via, token: token.id } });
    const shown = facts({
      'Client token': `${value}  ${shownOnce}`,
      Id: token.id,
      Label: token.label,
      'Works until': day(token.expiresAt) || 'it is revoked',
    });
    return done(
      { client_id: clientId, ...presented(token), client_token: value },
      `${clientId} has a new token.\n\n${shown}`,
    );
  },
};

const list: Command = {
  name: 'list',
  sentence: 'List the tokens of an application. Only hashes of them are stored.',
  args: [clientArg],
  examples: ['client-tokens list bookshelf'],
  async run(call) {
    const [clientId = ''] = call.args;
    const client = await (await call.core()).clients.find(clientId);
    if (!client) return noClient(clientId);
    const rows = client.tokens.map((token) => [
      token.id,
      token.label,
      day(token.createdAt),
      day(token.expiresAt) || 'it is revoked',
    ]);
    return done(
      client.tokens.map(presented),
      table(['ID', 'LABEL', 'MADE', 'WORKS UNTIL'], rows, `${clientId} has no tokens.`),
    );
  },
};

const revoke: Command = {
  name: 'revoke',
  sentence: 'Revoke a token. Sessions that were opened with it end.',
  args: [clientArg, { name: '<id>', sentence: 'The id of the token, as in the list.' }],
  details: 'Running servers refuse it, and the tokens that were issued for it, within a second.',
  examples: ['client-tokens revoke bookshelf 4f1c2a90b7de'],
  async run(call) {
    const [clientId = '', id = ''] = call.args;
    const core = await call.core();
    const revoked = await core.clients.revokeToken(clientId, id);
    if (revoked.outcome === 'unknown')
      return refused('not_found', `The client ${clientId} has no token ${id}. See: client-tokens list ${clientId}`);
    await core.audit.record('client.token_revoked', { clientId, detail: { ...via, token: id } });
    return done({ client_id: clientId, id, revoked: true }, `Revoked the token ${id} of ${clientId}.`);
  },
};

export const clientTokens: Noun = {
  name: 'client-tokens',
  sentence: 'Tokens of applications that work without a person (the space guard API).',
  commands: [issue, list, revoke],
};
