/**
 * The pages of a person who is not signed in yet, outside of an authorization: what a link in a mail leads to, and what leads to
 * such a mail.
 *
 *   /sign-up, /invite?token          an account of one's own
 *   /verify-email?token              the proof of its address
 *   /forgot, /reset?token            a new password
 */
import type { Context, Middleware } from 'koa';
import Router from 'koa-router';
import type { Emails } from '../core/emails.ts';
import type { Invitations } from '../core/invitations.ts';
import type { PasswordReset } from '../core/password-reset.ts';
import type { SignIn } from '../core/sign-in.ts';
import type { Account } from '../core/stores/accounts.ts';
import type { Upstream } from '../core/upstream.ts';
import type { Csrf } from '../http/csrf.ts';
import type { LetIn } from '../http/let-in.ts';
import type { Pages } from '../http/page.ts';
import { type CameFrom, routeForgottenPassword } from './forgotten-password.ts';
import type { SignUpPage } from './sign-up.ts';
import { routeSignUp } from './sign-up-paths.ts';
import { routeVerifyEmail } from './verify-email.ts';

export interface PeopleDeps {
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly signUpPage: SignUpPage;
  readonly invitations: Pick<Invitations, 'look'>;
  readonly emails: Emails;
  readonly passwordReset: PasswordReset;
  readonly upstream: Pick<Upstream, 'linked' | 'name'>;
  readonly signIn: Pick<SignIn, 'provePassword'>;
  /** The application whose sign-in of this id somebody comes from. */
  readonly cameFrom: (id: string) => Promise<CameFrom | undefined>;
  /** They have set a password, and go on signed in. */
  readonly letIn: LetIn;
  /** For the account pages, in case they come there: the password is another. */
  readonly noteDone: (ctx: Context, subject: string) => void;
  /** The way to a sign-in of this person that comes back to `/verify-email`. */
  readonly signInAs: (username: string) => string;
  /** Who is signed in in this browser. */
  readonly signedIn: (ctx: Context) => Promise<Account | undefined>;
  /** Whether this server sends mails. */
  readonly mails: boolean;
  /** Where somebody goes who came from nowhere: their own account, which asks them to sign in. */
  readonly home: string;
  /** Cookies are for HTTPS only. */
  readonly secure: boolean;
  readonly settings: {
    readonly passwordMinLength: number;
    readonly passwordMinLengthSecondFactor: number;
    /** Seconds that a link for a new password works. */
    readonly linkSeconds: number;
  };
}

export function createPeople(deps: PeopleDeps): Middleware {
  const router = new Router({ strict: true, sensitive: true });
  routeSignUp(router, { ...deps, page: deps.signUpPage });
  routeForgottenPassword(router, deps);
  routeVerifyEmail(router, deps);
  return router.routes() as Middleware;
}
