/**
 * How many mails may be caused: nobody's mailbox is to be flooded through this server, and nobody is to send from it at will. What
 * strangers can ask for counts apart from what its person asks for, so that neither uses up the other's (security.md B8).
 */
import { digest } from '../../base/secrets.ts';
import { emailKey } from '../kernel/names.ts';
import { addressNetwork } from '../kernel/throttle-keys.ts';
import type { Throttle } from '../stores/throttle.ts';

const mailWindowSeconds = 3600;

type MayAsk = { readonly allowed: true } | { readonly allowed: false; readonly retryAfter: number };

type MayMailReset = { readonly allowed: true; readonly seconds: number } | { readonly allowed: false };

export interface MailLimits {
  /** Counts a request from this IP address that may lead to a mail. */
  mayAsk(address: string | undefined): Promise<MayAsk>;
  /**
   * Counts a link for a new password. `stamp`: of the account's password and address, since every link goes with those.
   * `knownBrowser`: the browser that asks, where it is known for the account; it counts for itself. Any visitor may ask
   * in the others, so the last mail that they can cause has to serve its person until the next: `seconds` is how long
   * its link must be good at least. A refusal is the log's business alone.
   */
  mayMailReset(stamp: string, knownBrowser: string | undefined): Promise<MayMailReset>;
  /** Counts a link that is asked for by somebody who is signed in as this person. */
  mayChange(subject: string): Promise<MayAsk>;
  /** Counts a link that proves this address. `subject`: whose it is to be, where nobody is signed in as that person. */
  mayConfirm(email: string, subject: string | undefined): Promise<MayAsk>;
  /** Counts a code mailed to this person: it takes the right password. */
  mayMailCode(subject: string): Promise<MayAsk>;
  /** None was sent after all, or it was used by whom it was for. */
  giveBackCode(subject: string): Promise<void>;
}

const codesOf = (subject: string): string => `code-mails-of:${subject}`;

export function createMailLimits(deps: {
  throttle: Throttle;
  config: {
    readonly mail: {
      /** Of each kind to one mailbox, or on account of one person, within the window. */
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
      // Whatever follows a plus is the same mailbox at most providers; at the others it is at least the same person.
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
