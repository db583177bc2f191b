/**
 * Changes the password, or sets the first one. Besides a fresh sign-in with both factors it needs the current password,
 * checked through core/sign-in, which counts guesses per session: access to an unlocked browser must not be enough. All
 * other sessions and their tokens end (security.md B13).
 */
import { callerOf } from '../../../http/caller.ts';
import { passwordErrors } from '../../kit/field-errors.ts';
import { busySeconds, formStatus } from '../../kit/form.ts';
import type { FormProblem } from '../../kit/view-parts.ts';
import type { ViewLocals } from '../../kit/views.ts';
import type { AccountDeps } from '../deps.ts';
import type { AccountForm } from '../visit.ts';
import { callerIn, type Show, showPage, type Take, type Visit } from '../visit.ts';

export const passwordFormErrors = ['missing', 'wrong'] as const;

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-password': AccountForm &
      FormProblem & {
        readonly username: string;
        readonly hasPassword: boolean;
        /** Other providers are available for sign-in. */
        readonly others?: boolean | undefined;
        readonly minLength: number;
        /** The mistake in the current password. */
        readonly current?: (typeof passwordFormErrors)[number] | undefined;
      };
  }
}

type Shown = FormProblem & Pick<ViewLocals['account-password'], 'current'>;

export function createPasswordPage(deps: AccountDeps): { show: Show; take: Take } {
  const show = (visit: Visit, shown: Shown = {}) => {
    const { username, passwordHash, twoFactor } = visit.account;
    const { minLength: alone, minLengthSecondFactor: withSecondFactor } = deps.config.password;
    const { problem, current, error } = shown;
    return showPage(
      deps,
      visit,
      'account-password',
      {
        username,
        hasPassword: passwordHash !== null,
        others: deps.upstream.offered().length > 0,
        minLength: twoFactor && visit.note.notice !== 'password-alone' ? withSecondFactor : alone,
        ...shown,
      },
      { status: formStatus(problem, (current ?? error) !== undefined) },
    );
  };

  /** `over`: the account's current password hash. */
  async function prove(
    { ctx, account, session }: Visit,
    password: string,
  ): Promise<Shown | { readonly over: string | null }> {
    if (account.passwordHash === null) return { over: null };
    if (password === '') return { current: 'missing' };
    const { username } = account;
    const outcome = await deps.signIn.provePassword({
      ...callerOf(ctx, 'account'),
      username,
      password,
      session: session.uid,
    });
    switch (outcome.outcome) {
      case 'right':
        return { over: outcome.account.passwordHash };
      case 'refused':
        return { current: 'wrong' };
      case 'throttled':
        return { problem: 'throttled', retryAfterSeconds: outcome.retryAfter };
    }
  }

  async function change(visit: Visit, form: ReadonlyMap<string, string>): Promise<Shown | undefined> {
    const { account, session } = visit;
    const password = form.get('password') ?? '';
    if (password === '') return { error: 'required' };
    const proved = await prove(visit, form.get('current') ?? '');
    if (!('over' in proved)) return proved;
    const outcome = await deps.accounts.setPassword(account.subject, password, {
      endSessions: true,
      keepSession: session.uid,
      over: proved.over,
      caller: callerIn(visit, deps.pages),
    });
    switch (outcome.outcome) {
      case 'changed':
        return undefined;
      case 'weak-password':
        return { error: passwordErrors[outcome.reason.code] };
      case 'not-found':
        // Changed by a concurrent request, perhaps by the owner because of an intruder.
        return { current: 'wrong' };
    }
  }

  return {
    show: async (visit) => show(visit),

    async take(visit, form) {
      try {
        const wrong = await change(visit, form);
        return wrong ? show(visit, wrong) : { to: '/account/password', note: { notice: 'password-changed' } };
      } catch (error) {
        return show(visit, { problem: 'busy', retryAfterSeconds: busySeconds(error) });
      }
    },
  };
}
