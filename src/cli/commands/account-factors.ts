import { accountArg, withAccount } from '../accounts/account-argument.ts';
import { type Command, done, via } from '../command.ts';
import { cancelled, confirmed, yesOption } from '../confirmation.ts';
import { day, table } from '../text.ts';

export const factors: Command = {
  name: 'factors',
  sentence: 'List the passkeys and second factors of an account.',
  args: [accountArg],
  examples: ['accounts factors alice', 'accounts factors alice --json'],
  run: (call) =>
    withAccount(call, async (account, core) => {
      const [{ factors, recoveryCodesLeft }, passkeys] = await Promise.all([
        core.factors.list(account.subject),
        core.passkeys.list(account.subject),
      ]);
      const row = (kind: string, { id, name, createdAt, lastUsedAt }: (typeof passkeys | typeof factors)[number]) => [
        id,
        kind,
        name,
        day(createdAt),
        day(lastUsedAt) || 'never',
      ];
      const nameOf = (kind: string) => core.factors.codes.find((method) => method.kind === kind)?.name ?? kind;
      const rows = [
        ...passkeys.map((passkey) => [...row('passkey', passkey), 'active']),
        ...factors.map((factor) => [
          ...row(nameOf(factor.kind), factor),
          factor.locked ? 'locked: too many wrong codes' : 'active',
        ]),
      ];
      const listed = table(
        ['ID', 'KIND', 'NAME', 'MADE', 'LAST USED', 'STATUS'],
        rows,
        'The account has no second factor.',
      );
      const left = rows.length === 0 ? '' : `\n\nRecovery codes left: ${recoveryCodesLeft}`;
      return done(
        {
          factors: factors.map((factor) => ({ ...factor })),
          passkeys: passkeys.map((passkey) => ({ ...passkey })),
          recoveryCodesLeft,
        },
        `${listed}${left}`,
      );
    }),
};

export const removeFactors: Command = {
  name: 'remove-factors',
  sentence: 'Remove all passkeys, second factors and recovery codes of an account. The password alone then signs in.',
  args: [accountArg],
  options: [yesOption],
  details:
    'On a terminal it asks first. Use it for a person who has lost the app, the passkeys and the recovery codes. ' +
    'Verify who asks: anyone with the password can sign in afterwards. A person without a password then needs one.',
  examples: ['accounts remove-factors alice'],
  run: (call) =>
    withAccount(call, async (account, core) => {
      const question = `Remove all second factors of ${account.username}?`;
      if (!(await confirmed(call, question))) return cancelled;
      const removed = await core.factors.removeAll(account.subject, via);
      return done(
        { subject: account.subject, removed },
        removed ? `Removed all second factors of ${account.username}.` : `${account.username} had no second factor.`,
      );
    }),
};
