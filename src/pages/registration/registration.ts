/**
 * How a person comes to an account of their own, outside of an authorization:
 *
 *   /sign-up, /invite?token          an account of one's own
 *   /verify-email?token              the proof of its address
 */
import type { Context } from 'koa';
import type { Emails } from '../../core/accounts/emails.ts';
import type { Invitations } from '../../core/registration/invitations.ts';
import type { SignIn } from '../../core/sign-in/sign-in.ts';
import type { Account } from '../../core/stores/accounts.ts';
import type { Route } from '../../http/routes.ts';
import type { Csrf } from '../kit/csrf.ts';
import type { LetIn } from '../kit/let-in.ts';
import type { Pages } from '../kit/page.ts';
import type { SignUpPage } from './sign-up.ts';
import { signUpRoutes } from './sign-up-paths.ts';
import { verifyEmailRoutes } from './verify-email.ts';

export interface RegistrationDeps {
  readonly pages: Pages;
  readonly csrf: Csrf;
  readonly signUpPage: SignUpPage;
  readonly invitations: Pick<Invitations, 'look'>;
  readonly emails: Emails;
  readonly signIn: Pick<SignIn, 'provePassword'>;
  /** They have set a password, and go on signed in. */
  readonly letIn: LetIn;
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
}

export function createRegistration(deps: RegistrationDeps): readonly Route[] {
  return [...signUpRoutes({ ...deps, page: deps.signUpPage }), ...verifyEmailRoutes(deps)];
}
