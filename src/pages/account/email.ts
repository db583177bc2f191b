/**
 * Changes the e-mail address. The new address takes effect when its link is opened (core/accounts/emails). If another
 * account has the address, only the owner of the address learns it.
 */
import { nameErrors } from '../kit/field-errors.ts';
import { formStatus } from '../kit/form.ts';
import type { FormProblem } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';
import type { AccountDeps } from './deps.ts';
import type { Note } from './flash-messages.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, type Show, showPage, type Take, type Visit } from './visit.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-email': AccountForm &
      FormProblem & {
        readonly current?: string | undefined;
        readonly verified: boolean;
        /** As typed. */
        readonly email?: string | undefined;
        /** This server sends no mails, so addresses cannot be confirmed. */
        readonly noMail: boolean;
      };
  }
}

type Shown = FormProblem & Pick<ViewLocals['account-email'], 'email'>;

/** Longer than any valid address. */
const typedMax = 1024;

export function createEmailPage(deps: AccountDeps): {
  show: Show;
  take: Take;
  keep(form: ReadonlyMap<string, string>): Note;
} {
  const typedIn = (form: ReadonlyMap<string, string>) => form.get('email')?.trim().slice(0, typedMax) ?? '';

  const show = (visit: Visit, shown: Shown = {}) =>
    showPage(
      deps,
      visit,
      'account-email',
      {
        current: visit.account.email ?? undefined,
        verified: visit.account.verified,
        noMail: !deps.mails.work,
        ...shown,
      },
      { status: formStatus(shown.problem, shown.error !== undefined) },
    );

  return {
    show: async (visit) => show(visit, { email: visit.note.email ?? visit.note.unconfirmed }),

    keep: (form) => ({ email: typedIn(form) }),

    async take(visit, form) {
      const { account } = visit;
      const email = typedIn(form);
      if (!deps.mails.work) return show(visit);
      if (email === account.email && account.verified) return show(visit, { email, error: 'taken' });
      const caller = callerIn(visit, deps.pages);
      const asked = await deps.emails.requestChange(account.subject, email, caller, { signedIn: true });
      switch (asked.outcome) {
        case 'asked':
          deps.askedHere.keep(visit.ctx, account.subject, email);
          return { to: '/account/email', note: { notice: 'email-asked', email } };
        case 'invalid':
          return show(visit, { email, error: nameErrors[asked.reason] });
        case 'throttled':
          return show(visit, { email, problem: 'throttled', retryAfterSeconds: asked.retryAfter });
      }
    },
  };
}
