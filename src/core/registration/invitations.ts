/**
 * Invitations: a link that creates one account, unless `SIGN_UP` is off. If the link was only mailed, opening it proves
 * the address, because only that mailbox has received it.
 */

import type { JsonObject } from '../../base/json.ts';
import { randomToken } from '../../base/secrets.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import { createCallerRecord } from '../kernel/caller-record.ts';
import type { Links } from '../kernel/links.ts';
import { emailProblem, type NameProblem } from '../kernel/names.ts';
import type { Letter } from '../mail/mailer.ts';
import type { Mails } from '../mail/mails.ts';
import type { SignUp, SignUpForm, SignUpOutcome } from './sign-up.ts';

export interface Invitation {
  readonly email: string | undefined;
  /** Opening the link proves the address. */
  readonly proved: boolean;
}

interface NewInvitation {
  readonly email?: string | undefined;
  /** Mail the link to `email`, and show it nowhere else. */
  readonly mail: boolean;
  readonly locale: string;
}

type InviteOutcome =
  | { readonly outcome: 'closed' }
  | { readonly outcome: 'made'; readonly path: string; readonly expiresAt: number }
  | { readonly outcome: 'mailed'; readonly expiresAt: number }
  | { readonly outcome: 'not-mailed'; readonly reason: string }
  | { readonly outcome: 'invalid'; readonly reason: NameProblem };

interface Invitations {
  invite(invitation: NewInvitation, caller: Caller): Promise<InviteOutcome>;
  /** Does not consume the invitation. */
  look(token: string): Promise<Invitation | undefined>;
  /** Creates the account. If the form is refused, the invitation stays valid. */
  accept(token: string, form: SignUpForm, caller: Caller): Promise<SignUpOutcome | { outcome: 'gone' }>;
}

export function createInvitations(deps: {
  links: Links;
  mails: Mails;
  signUp: Pick<SignUp, 'accept'>;
  audit: Audit;
  config: { readonly signUp: 'open' | 'invite' | 'off'; readonly mail: { readonly invitationTtl: number } };
}): Invitations {
  const { links, mails, signUp, audit, config } = deps;
  const written = createCallerRecord(audit);

  return {
    async invite({ email, mail, locale }, caller) {
      if (config.signUp === 'off') return { outcome: 'closed' };
      const reason = email === undefined ? undefined : emailProblem(email);
      if (reason !== undefined) return { outcome: 'invalid', reason };
      const mailed = mail && email !== undefined;
      const detail = { id: randomToken(16), ...(email !== undefined && { email }), mailed };
      const seconds = config.mail.invitationTtl;
      const { token, expiresAt } = await links.make('invitation', { subject: null, detail, seconds });
      const path = `/invite?token=${token}`;
      if (mailed) {
        const letter: Letter = { kind: 'invitation', to: email, locale, path, seconds };
        const delivery = await mails.sendNow(letter);
        if (delivery.outcome === 'failed') return { outcome: 'not-mailed', reason: delivery.reason };
      }
      await written('invitation.made', undefined, caller, { invitation: detail.id, mailed });
      return mailed ? { outcome: 'mailed', expiresAt } : { outcome: 'made', path, expiresAt };
    },

    async look(token) {
      if (config.signUp === 'off') return undefined;
      const link = await links.look('invitation', token);
      return link && invitationOf(link.detail);
    },

    async accept(token, form, caller) {
      if (config.signUp === 'off') return { outcome: 'closed' };
      const link = await links.look('invitation', token);
      if (link === undefined) return { outcome: 'gone' };
      const { email, proved } = invitationOf(link.detail);
      const ownAddress = proved && email !== undefined;
      const outcome = await signUp.accept(ownAddress ? { ...form, email } : form, caller, {
        linkKey: link.key,
        proved: ownAddress,
      });
      if (outcome.outcome !== 'created') return outcome;
      const { subject } = outcome.account;
      audit.note('invitation.used', { subject, caller, detail: { invitation: link.detail.id ?? null } });
      return outcome;
    },
  };
}

function invitationOf({ email, mailed }: JsonObject): Invitation {
  return { email: typeof email === 'string' ? email : undefined, proved: mailed === true };
}
