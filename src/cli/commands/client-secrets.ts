import { nowSeconds } from '../../base/clock.ts';
import { clientSecretsMax, isLive, secretId, secretName } from '../../core/clients/client-secrets.ts';
import type { ClientSecret } from '../../core/stores/clients.ts';
import { noClient } from '../clients/client-argument.ts';
import { presentedSecret } from '../clients/client-text.ts';
import { type Arg, type Command, done, type Noun, refused, via } from '../command.ts';
import { day, facts, shownOnce, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';

const clientArg: Arg = { name: '<client-id>', sentence: 'The client id of the application.' };
const DAY = 86_400;
const secretless = (id: string) => refused('no_secret', `The client ${id} authenticates without a secret.`);

const add: Command = {
  name: 'add',
  sentence: 'Add a secret to an application. It is shown only now.',
  args: [clientArg],
  options: [
    { flags: '--name <text>', sentence: 'A name for lists: up to 100 characters.' },
    { flags: '--days <number>', sentence: 'How long it works. Without it: until it is removed.', number: [1, 3660] },
  ],
  details: `An application has at most ${clientSecretsMax} secrets at a time. All of them work; \`clients rotate\` replaces one.`,
  examples: ['client-secrets add bookshelf --name "second data centre" --days 365'],
  async run(call) {
    const [clientId = ''] = call.args;
    const name = call.text('name')?.trim() ?? '';
    if (name === '' || name.length > 100 || !name.isWellFormed() || /\p{Cc}/u.test(name))
      throw new UsageError('Give the secret a --name of 1 to 100 characters, to tell it apart from the others.');
    const days = call.number('days');
    const core = await call.core();
    const made = await core.clients.addSecret(clientId, { name, lifetime: days === undefined ? null : days * DAY });
    switch (made.outcome) {
      case 'unknown':
        return noClient(clientId);
      case 'secretless':
        return secretless(clientId);
      case 'too-many':
        return refused(
          'too_many',
          `The client ${clientId} has the maximum number of secrets (${clientSecretsMax}). Remove one first.`,
        );
      case 'added': {
        const { secret, value } = made;
        const id = secretId(secret);
        await core.audit.record('client.secret_added', { clientId, detail: { ...via, secret: id, name } });
        const text = facts({
          'Client secret': `${value}  ${shownOnce}`,
          Id: id,
          Name: name,
          'Works until': day(secret.expiresAt) || 'it is removed',
        });
        return done(
          { client_id: clientId, ...presentedSecret(secret), client_secret: value },
          `${clientId} has another secret.\n\n${text}`,
        );
      }
    }
  },
};

const list: Command = {
  name: 'list',
  sentence: 'List the secrets of an application. Only hashes of them are stored.',
  args: [clientArg],
  details: 'The list does not show when a secret was last used: that would cost a write for every token request.',
  examples: ['client-secrets list bookshelf'],
  async run(call) {
    const [clientId = ''] = call.args;
    const client = await (await call.core()).clients.find(clientId);
    if (!client) return noClient(clientId);
    const now = nowSeconds();
    const row = (secret: ClientSecret) => [
      secretId(secret),
      secretName(secret),
      day(secret.createdAt),
      isLive(secret, now) ? day(secret.expiresAt) || 'it is removed' : `ended ${day(secret.expiresAt)}`,
    ];
    return done(
      client.secrets.map(presentedSecret),
      table(['ID', 'NAME', 'MADE', 'WORKS UNTIL'], client.secrets.map(row), `${clientId} has no secrets.`),
    );
  },
};

const remove: Command = {
  name: 'remove',
  sentence: 'Remove a secret of an application. It stops working.',
  args: [clientArg, { name: '<id>', sentence: 'The id of the secret, as in the list.' }],
  details:
    'Running servers refuse it within a second. The last working secret cannot be removed: disable the application instead.',
  examples: ['client-secrets remove bookshelf 4f1c2a90b7de'],
  async run(call) {
    const [clientId = '', id = ''] = call.args;
    const core = await call.core();
    const removed = await core.clients.removeSecret(clientId, id);
    switch (removed.outcome) {
      case 'unknown':
        return noClient(clientId);
      case 'no-such-secret':
        return refused('not_found', `The client ${clientId} has no secret ${id}. See: client-secrets list ${clientId}`);
      case 'last':
        return refused(
          'last_secret',
          `It is the last working secret of ${clientId}. Replace it (clients rotate ${clientId}), or disable the application: clients disable ${clientId}`,
        );
      case 'updated':
        await core.audit.record('client.secret_removed', { clientId, detail: { ...via, secret: id } });
        return done({ client_id: clientId, id, removed: true }, `Removed the secret ${id} of ${clientId}.`);
    }
  },
};

export const clientSecrets: Noun = {
  name: 'client-secrets',
  sentence: 'Secrets of applications: several at a time, each with a name and an expiry.',
  commands: [add, list, remove],
};
