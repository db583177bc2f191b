import type { Rotated } from '../../core/clients/client-credentials.ts';
import { secretName } from '../../core/clients/client-secrets.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';
import { described, idArg, noClient } from '../clients/client-argument.ts';
import { riskWords } from '../clients/client-risks.ts';
import { listed, nameOf, presented, shown } from '../clients/client-text.ts';
import { registrationOf } from '../clients/registration-text.ts';
import { type Call, type Command, type CommandCore, done, type Noun, type Outcome, refused, via } from '../command.ts';
import { cancelled, confirmed, yesOption } from '../confirmation.ts';
import { readAll } from '../read-all.ts';
import { counted, day, facts, shownOnce, table } from '../text.ts';
import { pin } from './client-pin.ts';
import { register } from './client-register.ts';
import { update } from './client-update.ts';

const list: Command = {
  name: 'list',
  sentence: 'List all applications.',
  examples: ['clients list', 'clients list --json'],
  async run(call) {
    const { clients } = await call.core();
    const all = await readAll<ClientRecord>(call.terminal, 'Reading applications', (limit, last) =>
      clients.list(last?.id ?? '', limit),
    );
    const rows = all.map((client) => [
      client.id,
      nameOf(client),
      listed(client.metadata.token_endpoint_auth_method).join(),
      client.disabledAt === null ? 'enabled' : 'disabled',
      client.reviewedAt === null ? 'unreviewed' : 'reviewed',
      client.origin,
      day(client.createdAt),
      riskWords(client).join(' '),
    ]);
    return done(
      all.map((client) => presented(client)),
      table(
        ['CLIENT ID', 'NAME', 'AUTHENTICATION', 'STATUS', 'REVIEW', 'ORIGIN', 'MADE', 'RISKS'],
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
    const core = await call.core();
    const client = await core.clients.find(id);
    if (!client) return noClient(id);
    const { json, text } = await registrationOf(core, client);
    return done({ ...presented(client), ...json }, shown(client) + text);
  },
};

const rotate: Command = {
  name: 'rotate',
  sentence: 'Replace the secret of an application. The new one is shown only now.',
  args: [idArg],
  options: [
    {
      flags: '--name <text>',
      sentence: 'Which secret, if there are several (`client-secrets`). Without it: the one without a name.',
    },
  ],
  details: 'The old secret keeps working for CLIENT_SECRET_OVERLAP. Secrets with other names do not change.',
  examples: ['clients rotate bookshelf'],
  async run(call) {
    const [id = ''] = call.args;
    const core = await call.core();
    const name = call.text('name') ?? '';
    const rotated = await core.clients.rotateSecret(id, name);
    switch (rotated.outcome) {
      case 'unknown':
        return noClient(id);
      case 'secretless':
        return refused('no_secret', `The client ${id} authenticates without a secret.`);
      case 'no-such-secret':
        return refused('not_found', `The client ${id} has no secret named ${name}. See: client-secrets list ${id}`);
      case 'too-many':
        return refused('too_many', `The client ${id} has the maximum number of secrets. Remove one first.`);
      case 'rotated':
        return tellRotated(core, rotated, name);
    }
  },
};

async function tellRotated(core: CommandCore, { client, secret }: Rotated, name: string): Promise<Outcome> {
  const { id } = client;
  await core.audit.record('client.secret_rotated', { clientId: id, detail: name === '' ? via : { ...via, name } });
  const [, old] = client.secrets.filter((one) => secretName(one) === name);
  const others = client.secrets.filter((one) => secretName(one) !== name).length;
  const sentences = [
    `${nameOf(client)} has a new secret.`,
    old?.expiresAt ? `The old one works until ${day(old.expiresAt)}.` : 'The old one has stopped working.',
    ...(others > 0 ? [`${counted(others, 'secret', 'secrets')} with other names: unchanged.`] : []),
  ];
  const text = facts({ 'Client id': id, 'Client secret': `${secret}  ${shownOnce}` });
  return done(presented(client, secret), `${sentences.join(' ')}\n\n${text}`);
}

const disable: Command = {
  name: 'disable',
  sentence: 'Disable an application until it is enabled again.',
  args: [idArg],
  details: 'Running servers refuse it, and its tokens at their own endpoints, within a second.',
  examples: ['clients disable bookshelf'],
  run: (call) => switchTo(call, 'disable'),
};

const enable: Command = {
  name: 'enable',
  sentence: 'Enable a disabled application again.',
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
  const { client } = changed;
  const still =
    verb === 'enable' && client.disabledAt !== null ? ' It stays refused: the account of its owner is disabled.' : '';
  return done(presented(client), `${nameOf(client)} (${id}) is ${verb}d.${still}`);
}

const review: Command = {
  name: 'review',
  sentence: 'Mark an application as reviewed: you trust it.',
  args: [idArg],
  options: [{ flags: '--revoke', sentence: 'Mark it as unreviewed again.' }],
  details:
    'Applications that people register themselves are unreviewed. Pages show this, and the applications need PKCE. Users are sent to them only ' +
    'after they have signed in and given consent. A reviewed application is treated like one that you registered. Running servers know within a second.',
  examples: ['clients review bookshelf', 'clients review bookshelf --revoke'],
  async run(call) {
    const [id = ''] = call.args;
    const revoke = call.flag('revoke') === true;
    const core = await call.core();
    const changed = await core.clients[revoke ? 'unreview' : 'review'](id);
    if (changed.outcome === 'unknown') return noClient(id);
    if (changed.outcome === 'described') return described(id);
    await core.audit.record(revoke ? 'client.review_revoked' : 'client.reviewed', { clientId: id, detail: via });
    const state = revoke ? 'unreviewed' : 'reviewed';
    return done(presented(changed.client), `${nameOf(changed.client)} (${id}) is ${state}.`);
  },
};

const remove: Command = {
  name: 'delete',
  sentence: 'Delete an application with all its grants, tokens and consents.',
  args: [idArg],
  options: [yesOption],
  details: 'On a terminal it asks first. To stop an application for a while, disable it instead.',
  examples: ['clients delete bookshelf'],
  async run(call) {
    const [id = ''] = call.args;
    const core = await call.core();
    const client = await core.clients.find(id);
    if (!client) return noClient(id);
    if (!(await confirmed(call, `Delete ${nameOf(client)} (${id}) with all its grants, tokens and consents?`)))
      return cancelled;
    if (!(await core.clients.remove(id))) return noClient(id);
    await core.audit.record('client.deleted', { clientId: id, detail: via });
    return done({ client_id: id, deleted: true }, `Deleted ${nameOf(client)} (${id}).`);
  },
};

const reload: Command = {
  name: 'reload',
  sentence: 'Make every running server reload all applications from the database.',
  details:
    'Only needed after the database was changed in another way, for example by restoring a backup. No request fails during the reload.',
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
  sentence: 'Applications that may request tokens.',
  commands: [register, update, list, show, rotate, review, disable, enable, pin, remove, reload],
};
