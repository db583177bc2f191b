/** `accounts update`, `promote` and `demote`. */
import type { AccountChange, UpdateOutcome } from '../../core/accounts/account-edits.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { accountArg, noAccount, withAccount } from '../accounts/account-argument.ts';
import { invalidField, takenField } from '../accounts/account-fields.ts';
import { presented, shown } from '../accounts/account-text.ts';
import { attributeOptions, attributesOf } from '../accounts/attribute-options.ts';
import { type Call, type Command, done, type Outcome, refused, via } from '../command.ts';
import { UsageError } from '../usage-error.ts';

export const update: Command = {
  name: 'update',
  sentence: 'Change an account. Values that are not given stay as they are.',
  args: [accountArg],
  options: [
    {
      flags: '--username <name>',
      sentence: 'A new username. Sessions and tokens of the account end, because they contain the old one.',
    },
    { flags: '--first-name <text>', sentence: 'First name.' },
    { flags: '--last-name <text>', sentence: 'Last name.' },
    { flags: '--email <address>', sentence: 'E-mail address; unconfirmed unless --verified is given.' },
    { flags: '--verified', sentence: 'The e-mail address is confirmed, so the person may sign in with it too.' },
    { flags: '--no-verified', sentence: 'The e-mail address is not confirmed (any more).' },
    { flags: '--admin', sentence: 'Make the account an administrator.' },
    { flags: '--no-admin', sentence: 'Make the account an ordinary one.' },
    ...attributeOptions,
    { flags: '--no-phone-verified', sentence: 'The number is not confirmed (any more).' },
  ],
  details:
    'An empty text removes a value: --picture "". The rules are those of the pages. A new e-mail address ends the links and codes that were ' +
    'mailed to the old one. If the old one was confirmed, it gets a mail. A new number is unconfirmed. Running servers apply changes within a second.',
  examples: [
    'accounts update alice --first-name Alice --zoneinfo Europe/Berlin',
    'accounts update alice --email alice@example.com --verified',
    'accounts update id:42 --phone "" --country ""',
  ],
  run(call) {
    const change = changeOf(call);
    if (!Object.values(change).some((value) => value !== undefined))
      throw new UsageError('Nothing to change. Give an option such as --email or --first-name.');
    return withAccount(call, async (account, core) =>
      answered(call, account, await core.accountEdits.update(account.subject, change, via)),
    );
  },
};

const setAdmin = (admin: boolean): Command['run'] => {
  return (call) =>
    withAccount(call, async (account, core) => {
      const outcome = await core.accountEdits.update(account.subject, { admin }, via);
      if (outcome.outcome !== 'changed') return answered(call, account, outcome);
      const already = outcome.changed.length === 0 ? ' already' : '';
      const role = admin ? `is${already} an administrator` : `is${already} no administrator`;
      return done(presented(outcome.account), `${outcome.account.username} ${role}.`);
    });
};

export const promote: Command = {
  name: 'promote',
  sentence: 'Make an account an administrator of this server.',
  args: [accountArg],
  examples: ['accounts promote alice'],
  run: setAdmin(true),
};

export const demote: Command = {
  name: 'demote',
  sentence: 'Make an administrator an ordinary account again.',
  args: [accountArg],
  details: 'The only enabled administrator cannot be demoted. Promote another account first.',
  examples: ['accounts demote alice'],
  run: setAdmin(false),
};

function changeOf(call: Call): AccountChange {
  const attributes = attributesOf(call);
  return {
    username: call.text('username'),
    firstName: call.text('first-name'),
    lastName: call.text('last-name'),
    email: call.text('email'),
    verified: call.flag('verified'),
    admin: call.flag('admin'),
    attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
    phoneVerified: call.flag('phone-verified'),
  };
}

function answered(call: Call, { username }: Account, outcome: UpdateOutcome): Outcome {
  switch (outcome.outcome) {
    case 'changed': {
      const { account, changed } = outcome;
      const text =
        changed.length === 0 ? `Nothing of ${username} is different.` : `Changed ${username}: ${changed.join(', ')}.`;
      return done({ ...presented(account), changed: [...changed] }, `${text}\n\n${shown(account)}`);
    }
    case 'not-found':
      return noAccount(call);
    case 'last-admin':
      return refused(
        'last_admin',
        `${username} is the only enabled administrator. Promote another account first: accounts promote <account>`,
      );
    case 'taken':
      return takenField(outcome.field);
    case 'nothing-to-verify':
      return refused(
        'nothing_to_verify',
        outcome.field === 'email'
          ? `${username} has no e-mail address. Give one: --email <address> --verified`
          : `${username} has no phone number. Give one: --phone <number> --phone-verified`,
        { field: outcome.field },
      );
    case 'invalid':
      return invalidField(outcome);
  }
}
