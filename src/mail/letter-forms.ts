/** How the mails of each kind are built. The words are in the catalogue. */
import type { LetterKind } from '../core/mail/mailer.ts';

interface LetterForm {
  /**
   * `link`: the reader asked for a link or a code, and may ignore the mail. `notice`: something has happened, and the
   * advice is urgent. `application`: as `notice`, about an application. Each has its own heading above the advice.
   */
  readonly advice: 'link' | 'notice' | 'application';
  /** The key of the reason at the foot. */
  readonly reason: 'entered' | 'invited' | 'account';
  /** Further pages that the advice names, by the last part of the key of their words. */
  readonly links?: Readonly<Record<string, string>>;
}

const notice: LetterForm = { advice: 'notice', reason: 'account' };

export const letterForms: Readonly<Record<LetterKind, LetterForm>> = {
  'confirm-email': { advice: 'link', reason: 'entered' },
  'address-known': { advice: 'link', reason: 'account' },
  'reset-password': { advice: 'link', reason: 'account' },
  invitation: { advice: 'link', reason: 'invited' },
  'sign-in-code': notice,
  'new-sign-in': notice,
  'password-changed': {
    ...notice,
    links: { factors: '/account/security', identities: '/account/security#identities' },
  },
  'email-changed': notice,
  'factor-added': notice,
  'factor-removed': notice,
  'identity-linked': notice,
  'identity-unlinked': notice,
  'account-deleted': notice,
  'access-ended': { advice: 'application', reason: 'account' },
};
