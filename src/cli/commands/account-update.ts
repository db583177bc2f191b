/** `accounts update`, `promote` and `demote`: an operator's changes of an account. */
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
  sentence: 'Change an account; what is left out stays as it is.',
  args: [accountArg],
  options: [
    { flags: '--username <name>', sentence: 'Another username. Its sessions and tokens end: they name the old one.' },
    { flags: '--first-name <text>', sentence: 'First name.' },
    { flags: '--last-name <text>', sentence: 'Last name.' },
    { flags: '--email <address>', sentence: 'E-mail address; unproved unless --verified is given.' },
    { flags: '--verified', sentence: 'The e-mail address is known to be theirs, so they may sign in with it too.' },
    { flags: '--no-verified', sentence: 'It is not known to be theirs (any more).' },
    { flags: '--admin', sentence: 'An admin of this server.' },
    { flags: '--no-admin', sentence: 'An admin no more.' },
    ...attributeOptions,
    { flags: '--no-phone-verified', sentence: 'The number is not known to be theirs (any more).' },
  ],
  details:
    'An empty text removes a value: --picture "". The rules are those of the pages. Another address ends the links and codes that were mailed ' +
    'to the old one, and the old one is told if it was proved. A number that changes is proved no more. Running servers know within a second.',
  examples: [
    'accounts update alice --first-name Alice --zoneinfo Europe/Berlin',
    'accounts update alice --email alice@example.com --verified',
    'accounts update id:42 --phone "" --country ""',
  ],
  run(call) {
    const change = changeOf(call);
    if (!Object.values(change).some((value) => value !== undefined))
      throw new UsageError('Say what is to change, such as --email or --first-name.');
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
  details: 'The only administrator who is enabled stays one: promote another first.',
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
      const text = changed.length === 0 ? `${username} was so already.` : `Changed ${username}: ${changed.join(', ')}.`;
      return done({ ...presented(account), changed: [...changed] }, `${text}\n\n${shown(account)}`);
    }
    case 'not-found':
      return noAccount(call);
    case 'last-admin':
      return refused(
        'last_admin',
        `${username} is the only administrator who is enabled. Make another one first: accounts promote <account>`,
      );
    case 'taken':
      return takenField(outcome.field);
    case 'nothing-to-verify':
      return refused(
        'nothing_to_verify',
        outcome.field === 'email'
          ? `${username} has no e-mail address. Give one: --email <address> --verified`
          : `${username} has no telephone number. Give one: --phone <number> --phone-verified`,
        { field: outcome.field },
      );
    case 'invalid':
      return invalidField(outcome);
  }
}
