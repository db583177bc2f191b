/** Accounts, and the ways to one: sign-up, invitations, links by mail, the set-up of the first admin. */
import { deriveKey } from '../base/secrets.ts';
import { createAccountEdits } from '../core/accounts/account-edits.ts';
import { createAccountImports } from '../core/accounts/account-import.ts';
import { createAccounts } from '../core/accounts/accounts.ts';
import { createEmailClaims } from '../core/accounts/email-claims.ts';
import { createEmails } from '../core/accounts/emails.ts';
import { createGroups } from '../core/accounts/groups.ts';
import { createReservedNames } from '../core/accounts/new-names.ts';
import { createLinks } from '../core/kernel/links.ts';
import { accountThrottleKey } from '../core/kernel/throttle-keys.ts';
import { createKnownBrowsers } from '../core/known-browsers/known-browsers.ts';
import { createPasswordReset } from '../core/recovery/password-reset.ts';
import { createInvitations } from '../core/registration/invitations.ts';
import { createSetup } from '../core/registration/setup.ts';
import { createSignUp } from '../core/registration/sign-up.ts';
import { createPasses } from '../core/sign-in/passes.ts';
import { createBreachedPasswords } from '../login/breach/breach.ts';
import type { composeFactors } from './factors.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { composeMail } from './mail.ts';

export function composePeople(
  { config, secrets, log, stores, throttle, audit, changes, sessions }: Infrastructure,
  { mails, mailLimits }: ReturnType<typeof composeMail>,
  { hasher, factors }: ReturnType<typeof composeFactors>,
) {
  const knownBrowsers = createKnownBrowsers({
    store: stores.knownBrowsers,
    accounts: stores.accounts,
    engine: stores.engine,
    mails,
    throttle,
    audit,
    valueKey: deriveKey(secrets.secretKey, 'devices'),
    settings: { mail: config.mail.newDevice },
  });
  const accounts = createAccounts({
    store: stores.accounts,
    sessions,
    changes,
    hasher,
    audit,
    async passwordSet({ subject, username, email, verified, locale: theirs }, caller) {
      await knownBrowsers.forgetOthers(subject, caller?.browser);
      // What was guessed at is the password no more: whoever did it is not to keep its owner out who comes with the new one.
      await throttle.clear(accountThrottleKey(subject, ''));
      if (email === null || !verified) return;
      const locale = theirs ?? caller?.locale ?? 'en';
      mails.send({ kind: 'password-changed', to: email, locale, subject, path: '/forgot', values: { username } });
    },
    removed({ subject, username, email, verified, locale: theirs }, caller) {
      if (email === null || !verified) return;
      const locale = theirs ?? caller?.locale ?? 'en';
      mails.send({ kind: 'account-deleted', to: email, locale, subject, values: { username } });
    },
    ...(config.password.breachedUrl !== undefined && {
      breached: createBreachedPasswords({ url: config.password.breachedUrl }, log),
    }),
    settings: {
      passwordMinLength: config.password.minLength,
      passwordMinLengthSecondFactor: config.password.minLengthSecondFactor,
      serviceName: config.brandName,
    },
  });
  const accountImports = createAccountImports({ store: stores.accounts, hasher, audit });
  const links = createLinks(stores.links);
  const ofMail = { store: stores.accounts, links, limits: mailLimits, mails, audit };
  const claims = createEmailClaims({ store: stores.accounts, sessions, audit });
  const emails = createEmails({
    ...ofMail,
    claims,
    factors,
    settings: { linkSeconds: config.mail.emailLinkTtl },
  });
  const accountEdits = createAccountEdits({
    store: stores.accounts,
    ...{ sessions, changes, claims, links, factors, mails, audit },
  });
  const groups = createGroups({ store: stores.groups, audit });
  const passwordReset = createPasswordReset({
    ...ofMail,
    accounts,
    knownBrowsers,
    settings: { linkSeconds: config.mail.resetLinkTtl },
  });
  const signUp = createSignUp({
    accounts,
    claims,
    emails,
    throttle,
    isReserved: createReservedNames(config.brandName),
    settings: {
      signUp: config.signUp,
      namesWithAt: config.namesWithAt,
      addressLimit: config.throttle.addressLimit,
      windowSeconds: config.throttle.window,
    },
  });
  const invitations = createInvitations({
    links,
    mails,
    signUp,
    audit,
    settings: { signUp: config.signUp, linkSeconds: config.mail.invitationTtl },
  });
  const setup = createSetup({
    accounts,
    store: stores.accounts,
    links: stores.links,
    leases: stores.leases,
    audit,
    settings: { linkTtlSeconds: config.setupLinkTtl },
  });
  const passes = createPasses({ links });
  return {
    ...{ knownBrowsers, accounts, accountEdits, accountImports, groups, emails },
    ...{ passwordReset, signUp, invitations, setup, passes },
  };
}
