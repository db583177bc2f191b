/** Links that an admin hands to people: into an account of their own, or back into it. */

import { accountArg, withAccount } from '../accounts/account-argument.ts';
import { type Command, done, refused, via } from '../command.ts';
import { day, facts, shownOnce } from '../text.ts';
import { UsageError } from '../usage-error.ts';

const language = {
  flags: '--locale <tag>',
  sentence: 'The language of the mail, as `en` or `de`; English by default.',
};

export const invite: Command = {
  name: 'invite',
  sentence: 'Make a link with which one person makes one account.',
  options: [
    { flags: '--email <address>', sentence: 'Their e-mail address: filled in for them, and where the link is mailed.' },
    {
      flags: '--mail',
      sentence: 'Mail the link to that address and do not show it: opening it then proves the address.',
    },
    language,
  ],
  details:
    'It works once, for INVITATION_TTL, also where SIGN_UP is `invite`; not where it is `off`. ISSUER must be what the server has.',
  examples: ['accounts invite', 'accounts invite --email bob@example.com --mail'],
  async run(call) {
    const email = call.text('email');
    const mail = call.flag('mail') === true;
    if (mail && email === undefined) throw new UsageError('--mail needs an --email.');
    const { mail: settings, issuer } = await call.config();
    if (mail && settings.smtp === undefined) return refused('no_mail', 'No mails leave this server: set SMTP_URL.');
    const core = await call.core();
    const made = await core.invitations.invite({ email, mail, locale: call.text('locale') ?? 'en' }, via);
    switch (made.outcome) {
      case 'made': {
        const url = `${issuer}${made.path}`;
        const text = `Hand this link to one person ${shownOnce}.\n\n${facts({ Link: url, 'Works until': day(made.expiresAt) })}`;
        return done({ url, expiresAt: made.expiresAt, mailed: false }, text);
      }
      case 'mailed':
        return done({ expiresAt: made.expiresAt, mailed: true }, `Mailed an invitation to ${email}.`);
      case 'not-mailed':
        return refused('not_mailed', `The mail could not be sent (${made.reason}). Nobody was invited.`);
      case 'invalid':
        return refused('invalid_email', 'That is not an e-mail address.', { reason: made.reason });
      case 'closed':
        return refused('closed', 'SIGN_UP is off: nobody makes an account of their own here.');
    }
  },
};

export const resetLink: Command = {
  name: 'reset-link',
  sentence: 'Make a link with which a person sets a new password for their account.',
  args: [accountArg],
  options: [{ flags: '--mail', sentence: 'Mail it too, where the address of the account is confirmed.' }, language],
  details:
    'It works once, for RESET_LINK_TTL, until the password is changed in any other way. Using it ends the sessions of the account; ' +
    'a second factor is still asked for. Be sure whom you give it to. ISSUER must be what the server has.',
  examples: ['accounts reset-link alice', 'accounts reset-link alice --mail'],
  async run(call) {
    const mail = call.flag('mail') === true;
    const { mail: settings, issuer } = await call.config();
    if (mail && settings.smtp === undefined) return refused('no_mail', 'No mails leave this server: set SMTP_URL.');
    return withAccount(call, async (account, core) => {
      if (account.disabledAt !== null)
        return refused('disabled', `The account ${account.username} is disabled: accounts enable ${account.username}`);
      const link = await core.passwordReset.makeLink(account, via);
      const letter = mail ? core.passwordReset.letter(account, link, call.text('locale') ?? 'en') : undefined;
      const delivery = letter && (await core.mails.sendNow(letter));
      const mailed = delivery?.outcome === 'sent';
      const url = `${issuer}${link.path}`;
      const why = delivery?.outcome === 'failed' ? delivery.reason : 'the account has no confirmed address';
      const more = mailed ? `\n\nMailed to ${account.email} too.` : mail ? `\n\nNot mailed: ${why}.` : '';
      const text = `Hand this link to ${account.username} ${shownOnce}.\n\n${facts({ Link: url, 'Works until': day(link.expiresAt) })}${more}`;
      return done({ url, expiresAt: link.expiresAt, mailed }, text);
    });
  },
};
