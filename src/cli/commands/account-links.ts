/** Links that an administrator gives to people, to create an account or to recover one. */

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
  sentence: 'Create a link with which one person can create one account.',
  options: [
    {
      flags: '--email <address>',
      sentence: 'The e-mail address of the person: filled in on the page, and used by --mail.',
    },
    {
      flags: '--mail',
      sentence: 'Mail the link to that address and do not show it. Opening the link then confirms the address.',
    },
    language,
  ],
  details:
    'The link works once, for INVITATION_TTL, if SIGN_UP is `open` or `invite`. ISSUER must be the same as on the server.',
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
        return refused('not_mailed', `The mail could not be sent (${made.reason}). There is no invitation.`);
      case 'invalid':
        return refused('invalid_email', 'That is not an e-mail address.', { reason: made.reason });
      case 'closed':
        return refused('closed', 'SIGN_UP is off, so people cannot create accounts here.');
    }
  },
};

export const resetLink: Command = {
  name: 'reset-link',
  sentence: 'Create a link with which a person can set a new password.',
  args: [accountArg],
  options: [{ flags: '--mail', sentence: 'Mail the link too, if the address of the account is confirmed.' }, language],
  details:
    'The link works once, for RESET_LINK_TTL, unless the password is changed in another way. Using it ends the sessions of the account; ' +
    'a second factor is still required. Verify who receives the link. ISSUER must be the same as on the server.',
  examples: ['accounts reset-link alice', 'accounts reset-link alice --mail'],
  async run(call) {
    const mail = call.flag('mail') === true;
    const { mail: settings, issuer } = await call.config();
    if (mail && settings.smtp === undefined) return refused('no_mail', 'No mails leave this server: set SMTP_URL.');
    return withAccount(call, async (account, core) => {
      if (account.disabledAt !== null)
        return refused('disabled', `The account ${account.username} is disabled: accounts enable ${account.username}`);
      const link = await core.passwordReset.makeLink(account, via);
      const letter = mail
        ? core.passwordReset.letter(account, link, { ...via, locale: call.text('locale') })
        : undefined;
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
