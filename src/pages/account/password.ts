/**
 * Another password, or the first one. The sign-in must be fresh, and with it the second factor; the password so far is asked for
 * nevertheless, through core/sign-in, which counts guesses, for this session: a browser that was left alone for a minute is not
 * to be enough. Every other session and all their tokens end (security.md B13).
 */
import { callerOf } from '../../http/caller.ts';
import { passwordErrors } from '../kit/field-errors.ts';
import { busySeconds, formStatus } from '../kit/form.ts';
import type { FormProblem } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';
import type { AccountDeps } from './deps.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, type Show, showPage, type Take, type Visit } from './visit.ts';

export const passwordFormErrors = ['missing', 'wrong'] as const;

declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-password': AccountForm &
      FormProblem & {
        readonly username: string;
        readonly hasPassword: boolean;
        /** Other providers can be signed in with. */
        readonly others?: boolean | undefined;
        readonly minLength: number;
        /** In what was given as the password so far. */
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

  /** `over`: the hash of the password, which is the account's. */
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
        // It has been changed meanwhile, perhaps by its owner because of whoever sits here.
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
