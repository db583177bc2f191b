import type { SavedGroup } from '../../core/accounts/groups.ts';
import type { Group, GroupMember, ListedGroup } from '../../core/stores/groups.ts';
import { findAccount } from '../accounts/account-argument.ts';
import {
  type Arg,
  type Call,
  type Command,
  type CommandCore,
  done,
  type Noun,
  type Outcome,
  refused,
  via,
} from '../command.ts';
import { cancelled, confirmed, yesOption } from '../confirmation.ts';
import { readAll } from '../read-all.ts';
import { counted, day, facts, table } from '../text.ts';
import { UsageError } from '../usage-error.ts';

const groupArg: Arg = { name: '<group>', sentence: 'The name in any spelling, or `id:` and the id.' };
const accountArg: Arg = { name: '<account>', sentence: 'Username, subject, or `id:` and the number of the account.' };
const description = { flags: '--description <text>', sentence: 'A note for operators.' };

const presented = ({ nameKey: _nameKey, ...group }: Group) => group;

const shown = (group: Group, members?: number): string =>
  facts({
    Id: group.id,
    Name: group.name,
    Description: group.description,
    Members: members === undefined ? undefined : String(members),
    Made: day(group.createdAt),
  });

const noGroup = (named: string): Outcome => refused('not_found', `There is no group ${named}. See: groups list`);

async function withGroup(call: Call, act: (group: Group, core: CommandCore) => Promise<Outcome>): Promise<Outcome> {
  const [named = ''] = call.args;
  const core = await call.core();
  const id = /^id:(.+)$/.exec(named)?.[1];
  const group = (id && (await core.groups.findById(id))) || (await core.groups.findByName(named));
  return group ? act(group, core) : noGroup(named);
}

function answered(saved: SavedGroup, named: string, verb: string): Outcome {
  switch (saved.outcome) {
    case 'saved':
      return done(presented(saved.group), `${verb} the group ${saved.group.name}.\n\n${shown(saved.group)}`);
    case 'taken':
      return refused('conflict', 'Another group has this name, or one too similar.', { field: 'name' });
    case 'not-found':
      return noGroup(named);
    case 'invalid':
      return refused('invalid_group', `The ${saved.field} was refused. ${saved.sentence}`, {
        field: saved.field,
        reason: saved.reason,
      });
  }
}

const add: Command = {
  name: 'add',
  sentence: 'Create a group of people.',
  args: [{ name: '<name>', sentence: 'The name that applications see. Unique, ignoring case and width.' }],
  options: [description],
  details: 'Applications with the scope `groups` see the names of the groups of a person.',
  examples: ['groups add editors --description "Those who may publish."'],
  async run(call) {
    const [name = ''] = call.args;
    const core = await call.core();
    return answered(await core.groups.add({ name, description: call.text('description') }, via), name, 'Made');
  },
};

const list: Command = {
  name: 'list',
  sentence: 'List all groups.',
  examples: ['groups list', 'groups list --json'],
  async run(call) {
    const { groups } = await call.core();
    const all = await readAll<ListedGroup>(call.terminal, 'Reading groups', (limit, last) =>
      groups.list(last?.nameKey ?? '', limit),
    );
    const rows = all.map(({ name, members, description: said, id }) => [name, String(members), said, id]);
    return done(all.map(presented), table(['NAME', 'MEMBERS', 'DESCRIPTION', 'ID'], rows, 'There are no groups yet.'));
  },
};

const show: Command = {
  name: 'show',
  sentence: 'Show one group.',
  args: [groupArg],
  examples: ['groups show editors'],
  run: (call) =>
    withGroup(call, async (group, core) => {
      const members = (await everyMember(call, core, group)).length;
      return done({ ...presented(group), members }, shown(group, members));
    }),
};

const rename: Command = {
  name: 'rename',
  sentence: 'Change the name or description of a group. Its members stay.',
  args: [groupArg, { name: '[name]', sentence: 'The new name. Without it, the name stays.' }],
  options: [description],
  details: 'Applications see the new name from the next token or userinfo response on.',
  examples: ['groups rename editors publishers', 'groups rename editors --description "Those who may publish."'],
  run(call) {
    const [named = '', name] = call.args;
    const form = { name, description: call.text('description') };
    if (form.name === undefined && form.description === undefined)
      throw new UsageError('Give a new name, a --description, or both.');
    return withGroup(call, async (group, core) =>
      answered(await core.groups.rename(group.id, form, via), named, 'Saved'),
    );
  },
};

const remove: Command = {
  name: 'remove',
  sentence: 'Remove a group. The accounts of its members stay.',
  args: [groupArg],
  options: [yesOption],
  details: 'On a terminal it asks first.',
  examples: ['groups remove editors'],
  run: (call) =>
    withGroup(call, async (group, core) => {
      if (!(await confirmed(call, `Remove the group ${group.name} with its memberships?`))) return cancelled;
      const members = await core.groups.remove(group, via);
      if (members === undefined) return noGroup(group.name);
      const ended = counted(members, 'membership', 'memberships');
      return done({ id: group.id, removed: true, members }, `Removed the group ${group.name} with ${ended}.`);
    }),
};

const members: Command = {
  name: 'members',
  sentence: 'List the people of a group.',
  args: [groupArg],
  examples: ['groups members editors', 'groups members editors --json'],
  run: (call) =>
    withGroup(call, async (group, core) => {
      const all = await everyMember(call, core, group);
      const rows = all.map(({ id, username, since }) => [String(id), username, day(since)]);
      return done(
        all.map(({ id, subject, username, since }) => ({ id, subject, username, since })),
        table(['ID', 'USERNAME', 'SINCE'], rows, `No one is in ${group.name} yet.`),
      );
    }),
};

const join: Command = {
  name: 'join',
  sentence: 'Add a person to a group.',
  args: [groupArg, accountArg],
  details: 'Applications see the change at their next token or userinfo request.',
  examples: ['groups join editors alice'],
  run: (call) => member(call, 'join'),
};

const leave: Command = {
  name: 'leave',
  sentence: 'Remove a person from a group.',
  args: [groupArg, accountArg],
  examples: ['groups leave editors alice'],
  run: (call) => member(call, 'leave'),
};

function everyMember(call: Call, { groups }: CommandCore, group: Group): Promise<GroupMember[]> {
  return readAll<GroupMember>(call.terminal, 'Reading members', (limit, last) =>
    groups.members(group.id, last?.id ?? 0, limit),
  );
}

function member(call: Call, verb: 'join' | 'leave'): Promise<Outcome> {
  return withGroup(call, async (group, core) => {
    const [, named = ''] = call.args;
    const account = await findAccount(core, named);
    const noAccount = refused('not_found', `There is no account ${named}. See: accounts list`);
    if (account === undefined) return noAccount;
    const { subject, username } = account;
    const about = { group: group.name, subject, username };
    if (verb === 'leave') {
      const left = await core.groups.leave(group, subject, via);
      const text = left ? `Removed ${username} from ${group.name}.` : `${username} is not in ${group.name}.`;
      return done({ ...about, member: false, changed: left }, text);
    }
    const joined = await core.groups.join(group, subject, via);
    if (joined === 'no-group') return noGroup(group.name);
    if (joined === 'no-account') return noAccount;
    const text =
      joined === 'joined' ? `Added ${username} to ${group.name}.` : `${username} is already in ${group.name}.`;
    return done({ ...about, member: true, changed: joined === 'joined' }, text);
  });
}

export const groups: Noun = {
  name: 'groups',
  sentence: 'Groups of people, which applications may see.',
  commands: [add, list, show, rename, remove, members, join, leave],
};
