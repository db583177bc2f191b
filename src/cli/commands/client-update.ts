import { nowSeconds } from '../../base/clock.ts';
import { changedMembers, recordChange } from '../../core/clients/client-changes.ts';
import { verifySecret } from '../../core/clients/client-secrets.ts';
import { described, idArg, invalid, noClient } from '../clients/client-argument.ts';
import { changeOptions, edited } from '../clients/client-changes.ts';
import { metadataOptions, type Wanted, wanted, warnOfState } from '../clients/client-options.ts';
import { warn } from '../clients/client-risks.ts';
import { scopeMistake } from '../clients/client-scopes.ts';
import { nameOf, presented, shown } from '../clients/client-text.ts';
import { type Call, type Command, type CommandCore, done, type Outcome, refused, via } from '../command.ts';
import { UsageError } from '../usage-error.ts';

export const update: Command = {
  name: 'update',
  sentence: 'Change an application: redirect URIs, name, scopes, policies and all other metadata.',
  args: [idArg],
  options: [
    ...metadataOptions,
    ...changeOptions,
    {
      flags: '--if-version <number>',
      sentence:
        'Change it only if the application still has this version (`clients show`). A version in the file works the same way.',
      number: [1, 2_147_483_647],
    },
  ],
  details:
    'Values that are not given stay as they are. --redirect-uri and other list options replace the whole list; --add-… and --remove-… change one value. ' +
    'A file is merged into the stored metadata (RFC 7396): null resets a member to its default. The output of ' +
    '`clients show --json` is a valid file. Running servers apply changes within a second. An application that becomes public loses its secrets.',
  examples: [
    'clients update bookshelf --add-redirect-uri https://app.example.com/other',
    'clients update bookshelf --name "The new Bookshelf" --remove-scope orders:write',
    'clients update bookshelf --file bookshelf.json --if-version 3',
  ],
  async run(call) {
    const [id = ''] = call.args;
    const asked = await wanted(call);
    const edit = edited(call, asked.metadata);
    const core = await call.core();
    const before = await core.clients.find(id);
    if (!before) return noClient(id);
    const mismatch = notOurs(id, asked, (secret) => verifySecret(before, secret, nowSeconds()));
    if (mismatch !== undefined) return mismatch;
    warnOfState(call, asked, before);
    const ifVersion = call.number('if-version') ?? asked.version;
    const changed = await core.clients.patch(id, edit, { by: 'cli', ifVersion });
    switch (changed.outcome) {
      case 'unknown':
        return noClient(id);
      case 'invalid':
        return invalid(changed);
      case 'built-in':
        return refused('built_in', `The server creates ${id} at each start; it cannot be changed.`);
      case 'described':
        return described(id);
      case 'conflict':
        return refused(
          'conflict',
          `The application ${id} was changed since: it has version ${changed.version}, not ${ifVersion}. ` +
            `Nothing was changed. See: clients show ${id}`,
          { version: changed.version },
        );
      case 'updated':
        return told(call, core, changed);
    }
  },
};

/** The file's client_id and client_secret must be those of the client (RFC 7592, section 2.2). */
function notOurs(id: string, asked: Wanted, isRight: (secret: string) => boolean): Outcome | undefined {
  if (asked.id !== undefined && asked.id !== id)
    throw new UsageError(`The file is for ${asked.id}, not for ${id}. A client_id cannot be changed.`);
  if (asked.secret === undefined || isRight(asked.secret)) return undefined;
  return refused(
    'secret_not_changed',
    `client_secret in the file is not a secret of ${id}. This command does not change secrets: leave it out. See: clients rotate, client-secrets add`,
  );
}

type Changed = Extract<Awaited<ReturnType<CommandCore['clients']['patch']>>, { outcome: 'updated' }>;

async function told(call: Call, core: CommandCore, changed: Changed): Promise<Outcome> {
  const { client, change, ended, secret } = changed;
  const dropped = warn(call, changed);
  const members = changedMembers(change);
  if (members.length === 0)
    return done({ ...presented(client), ...dropped }, `Nothing of ${nameOf(client)} (${client.id}) is different.`);
  await recordChange(core.audit, changed, via);
  const unknownScope = members.includes('scope') ? scopeMistake(client.metadata, core) : undefined;
  if (unknownScope !== undefined) call.terminal.remark(unknownScope);
  if (ended > 0) call.terminal.remark(`The application no longer uses secrets: ${ended} dropped.`);
  return done(
    { ...presented(client, secret), ...dropped },
    `Changed ${members.join(', ')} of ${nameOf(client)}.\n\n${shown(client, secret)}`,
  );
}
