/**
 * Limits the mails that requests can cause, so that this server cannot be used to flood mailboxes. Requests by others
 * count separately from the user's own, so that neither uses up the other's limit (security.md B8).
 */
import { digest } from '../../base/secrets.ts';
import { emailKey } from '../kernel/names.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { Throttle } from '../stores/volatile/throttle.ts';

const mailWindowSeconds = 3600;

type MayAsk = { readonly allowed: true } | { readonly allowed: false; readonly retryAfter: number };

type MayMailReset = { readonly allowed: true; readonly seconds: number } | { readonly allowed: false };

export interface MailLimits {
  /** Counts a request from this IP address that may lead to a mail. */
  mayAsk(address: string | undefined): Promise<MayAsk>;
  /**
   * Counts a password reset mail. `stamp` covers the account's password and address. `knownBrowser`: the browser's id
   * if it is known for the account; it has its own counter. `seconds`: minimum lifetime of the link. The last link
   * works until the next mail is allowed, because any visitor can use up the count.
   */
  mayMailReset(stamp: string, knownBrowser: string | undefined): Promise<MayMailReset>;
  /** Counts a link that the signed-in user requests. */
  mayChange(subject: string): Promise<MayAsk>;
  /** Counts a link that proves this address. `subject`: its account, if the caller is not signed in. */
  mayConfirm(email: string, subject: string | undefined): Promise<MayAsk>;
  /** Counts a code mailed to this user. Call only after the right password. */
  mayMailCode(subject: string): Promise<MayAsk>;
  /** No code was sent after all, or its user has used it. */
  giveBackCode(subject: string): Promise<void>;
}

const codesOf = (subject: string): string => `code-mails-of:${subject}`;

export function createMailLimits(deps: {
  throttle: Throttle;
  config: {
    readonly mail: {
      /** Mails of each kind to one mailbox, or for one user, within the window. */
      readonly limit: number;
      /** Requests from one IP address within the window. */
      readonly addressLimit: number;
    };
  };
}): MailLimits {
  const { throttle } = deps;
  const { limit: perMailbox, addressLimit } = deps.config.mail;
  const count = (key: string, limit: number): Promise<MayAsk> => throttle.attempt([{ key, limit }], mailWindowSeconds);
  return {
    mayAsk: (address) => count(`mails-from:${addressNetwork(address)}`, addressLimit),

    async mayMailReset(stamp, knownBrowser) {
      if (knownBrowser !== undefined) {
        const { allowed } = await count(`reset-mails-in:${knownBrowser}`, perMailbox);
        return allowed ? { allowed, seconds: 0 } : { allowed };
      }
      const key = `reset-mails:${stamp}`;
      const early = await count(key, perMailbox - 1);
      if (early.allowed) return { allowed: true, seconds: 0 };
      const { allowed } = await count(key, perMailbox);
      return allowed ? { allowed, seconds: early.retryAfter } : { allowed };
    },

    mayChange: (subject) => count(`changes-of:${subject}`, perMailbox),

    mayConfirm(email, subject) {
      // At most providers, addresses that differ only after a plus are one mailbox.
      const mailbox = digest((emailKey(email) ?? email).replace(/\+[^@]*@/, '@'));
      const keys = subject === undefined ? [`changes-to:${mailbox}`] : [`mails-to:${mailbox}`, `mails-of:${subject}`];
      return throttle.attempt(
        keys.map((key) => ({ key, limit: perMailbox })),
        mailWindowSeconds,
      );
    },

    mayMailCode: (subject) => count(codesOf(subject), perMailbox),
    giveBackCode: (subject) => throttle.giveBack([codesOf(subject)]),
  };
}
