import { changedAttributes, noAttributes, readAttributes } from '../../core/accounts/attributes.ts';
import { invalidField, takenField } from '../accounts/account-fields.ts';
import { presented, shown } from '../accounts/account-text.ts';
import { attributeOptions, attributesOf } from '../accounts/attribute-options.ts';
import { type Command, done, refused, via } from '../command.ts';
import { askPassword, passwordOption } from '../password-prompt.ts';
import { UsageError } from '../usage-error.ts';

export const create: Command = {
  name: 'create',
  sentence: 'Create an account.',
  args: [
    {
      name: '<username>',
      sentence: 'Letters, numbers and . _ - +; or the e-mail address of the person, with --verified',
    },
  ],
  options: [
    { flags: '--first-name <text>', sentence: 'First name.' },
    { flags: '--last-name <text>', sentence: 'Last name.' },
    { flags: '--email <address>', sentence: 'E-mail address.' },
    { flags: '--verified', sentence: 'The e-mail address is confirmed, so the person may sign in with it too.' },
    { flags: '--admin', sentence: 'Make the account an administrator.' },
    ...attributeOptions,
    passwordOption,
    { flags: '--no-password', sentence: 'Create it without a password. Password sign-in works only after one is set.' },
  ],
  examples: [
    'accounts create alice --email alice@example.com --verified',
    'accounts create root --admin --password-stdin < password.txt',
  ],
  async run(call) {
    const [username = ''] = call.args;
    const without = call.flag('password') === false;
    if (without && call.flag('password-stdin'))
      throw new UsageError('--no-password and --password-stdin do not go together.');
    const email = call.text('email');
    if (call.flag('verified') && email === undefined && !username.includes('@')) {
      throw new UsageError('--verified needs an --email.');
    }
    const read = readAttributes(attributesOf(call));
    if (read.outcome === 'invalid') return invalidField(read);
    const phoneVerified = call.flag('phone-verified') === true;
    if (phoneVerified && !read.change.phone) throw new UsageError('--phone-verified needs a --phone.');
    const password = without
      ? undefined
      : await askPassword(call, 'pipe it in with --password-stdin, or use --no-password');
    const core = await call.core();
    const form = {
      username,
      password,
      firstName: call.text('first-name') ?? '',
      lastName: call.text('last-name') ?? '',
      email,
      verified: call.flag('verified') === true,
      admin: call.flag('admin') === true,
      attributes: { ...changedAttributes(noAttributes, read.change), phoneVerified },
    };
    const made = await core.accounts.create(form, via);
    switch (made.outcome) {
      case 'created':
        return done(presented(made.account), `Created the account ${made.account.username}.\n\n${shown(made.account)}`);
      case 'taken':
        return takenField(made.field);
      case 'weak-password':
        return refused('weak_password', made.reason.sentence, { reason: made.reason.code });
      case 'invalid':
        return invalidField(made);
    }
  },
};
