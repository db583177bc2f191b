/**
 * The sign-up page: username, address, password. It shows and processes the form; the caller decides where (alone, with
 * an invitation, or during an authorization).
 *
 * Whether a username is taken cannot be hidden. Whether an address belongs to an account can: the account is created
 * without it, and the mail to the address tells the rest (core/accounts/emails).
 */
import type { Context } from 'koa';
import { nowSeconds } from '../../base/clock.ts';
import { createLru } from '../../base/lru.ts';
import { digest } from '../../base/secrets.ts';
import { codePoints, emailProblem, type NameProblem } from '../../core/kernel/names.ts';
import type { Invitation } from '../../core/registration/invitations.ts';
import type { SignUpForm, SignUpOutcome } from '../../core/registration/sign-up.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import type { PageDeps } from '../kit/deps.ts';
import { nameErrors, passwordErrors } from '../kit/field-errors.ts';
import { busySeconds, formStatus } from '../kit/form.ts';
import type { AskedHere } from '../kit/mail/asked-here.ts';
import type { ClientForm, ClientView, FormProblemKind, SetupError } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'sign-up': ClientForm & {
      readonly minLength: number;
      /** `none`: this server cannot confirm it. `fixed`: the address that the invitation was mailed to. */
      readonly emailField: 'none' | 'asked' | 'fixed';
      readonly username?: string | undefined;
      readonly email?: string | undefined;
      readonly errors: Readonly<Partial<Record<'username' | 'email' | 'password', SetupError>>>;
      readonly problem?: FormProblemKind | undefined;
      readonly retryAfterSeconds?: number | undefined;
      /** The link for people who have an account. */
      readonly signIn?: string | undefined;
      /** The person follows an invitation. */
      readonly invited?: boolean | undefined;
    };
  }
}

export interface SignUpAbout {
  /** The target of the form. */
  readonly action: string;
  readonly client?: ClientView | undefined;
  /** The link for people who have an account. */
  readonly signIn?: string | undefined;
  readonly invitation?: (Invitation & { readonly token: string }) | undefined;
  readonly uiLocales?: string | undefined;
  readonly formTargets?: readonly string[] | undefined;
}

export interface SignUpPage {
  show(ctx: Context, about: SignUpAbout): void;
  /** Returns the new account, or undefined if a page was shown. The caller has checked the CSRF token. */
  take(ctx: Context, form: ReadonlyMap<string, string>, about: SignUpAbout): Promise<Account | undefined>;
}

type Locals = ViewLocals['sign-up'];
type Errors = Locals['errors'];
type Outcome = SignUpOutcome | { readonly outcome: 'gone' };

/** Seconds. Identical forms from one browser within this time are one click. */
const doubleSeconds = 60;

export function createSignUpPage(deps: PageDeps & { readonly askedHere: AskedHere }): SignUpPage {
  const { pages, config } = deps;
  const lately = createLru<{ readonly at: number; readonly outcome: Promise<Outcome> }>(1000);

  const emailField = ({ invitation }: SignUpAbout) =>
    invitation?.proved ? 'fixed' : deps.mails.work ? 'asked' : ('none' as const);

  type Shown = Pick<Locals, 'username' | 'email' | 'problem' | 'retryAfterSeconds'> & { readonly errors?: Errors };

  function show(ctx: Context, about: SignUpAbout, shown: Shown): void {
    const { errors = {}, problem } = shown;
    pages.show(
      ctx,
      'sign-up',
      {
        action: about.action,
        csrf: deps.csrf.token(ctx),
        client: about.client,
        minLength: config.password.minLength,
        emailField: emailField(about),
        signIn: about.signIn,
        invited: about.invitation !== undefined,
        ...shown,
        errors,
      },
      {
        status: formStatus(problem, Object.keys(errors).length > 0),
        uiLocales: about.uiLocales,
        formTargets: about.formTargets ?? [],
      },
    );
  }

  function closed(ctx: Context, about: SignUpAbout): undefined {
    const kind = about.invitation
      ? 'invitation-gone'
      : config.signUp === 'off'
        ? 'sign-up-off'
        : 'sign-up-invited-only';
    const go = about.signIn === undefined ? undefined : ({ to: about.signIn, as: 'signIn' } as const);
    pages.show(ctx, 'notice', { kind, go }, { status: about.invitation ? 410 : 403, uiLocales: about.uiLocales });
  }

  function make(ctx: Context, form: SignUpForm, { invitation, uiLocales }: SignUpAbout): Promise<Outcome> {
    const caller = { ...callerOf(ctx, 'browser'), locale: pages.localeOf(ctx, uiLocales) };
    return invitation
      ? deps.invitations.accept(invitation.token, form, caller)
      : deps.signUp.signUp(form, caller, { email: 'later' });
  }

  /** A double click gets the result of the first, not the error that the name is taken. */
  function once(key: string, work: () => Promise<Outcome>): Promise<Outcome> {
    const before = lately.get(key);
    if (before && nowSeconds() < before.at + doubleSeconds) return before.outcome;
    const outcome = work();
    lately.set(key, { at: nowSeconds(), outcome });
    outcome.then(
      (made) => made.outcome !== 'created' && lately.delete(key),
      () => lately.delete(key),
    );
    return outcome;
  }

  return {
    show(ctx, about) {
      if (config.signUp !== 'open' && !about.invitation) closed(ctx, about);
      else show(ctx, about, { email: about.invitation?.email });
    },

    async take(ctx, form, about) {
      if (config.signUp !== 'open' && !about.invitation) return closed(ctx, about);
      const asked = emailField(about);
      const username = form.get('username')?.trim() ?? '';
      const password = form.get('password') ?? '';
      const given = asked === 'asked' ? (form.get('email')?.trim() ?? '') : undefined;
      const email = asked === 'fixed' ? about.invitation?.email : given;
      const typed = { username, email };

      const name = deps.signUp.nameProblem(username, about.invitation?.proved ? about.invitation.email : undefined);
      const errors = errorsOf(name, given, password, config.password.minLength);
      if (Object.keys(errors).length > 0) {
        show(ctx, about, { ...typed, errors });
        return undefined;
      }
      try {
        const key = digest(JSON.stringify([form.get('csrf'), username, email ?? null, password]));
        const outcome = await once(key, () => make(ctx, { username, password, email }, about));
        switch (outcome.outcome) {
          case 'created':
            if (given !== undefined) deps.askedHere.keep(ctx, outcome.account.subject, given);
            return outcome.account;
          case 'closed':
          case 'gone':
            return closed(ctx, about);
          case 'taken':
            show(ctx, about, { ...typed, errors: { [outcome.field]: 'taken' } });
            return undefined;
          case 'weak-password':
            show(ctx, about, { ...typed, errors: { password: passwordErrors[outcome.reason.code] } });
            return undefined;
          case 'invalid':
            show(ctx, about, { ...typed, errors: { [outcome.field]: nameErrors[outcome.reason] } });
            return undefined;
          case 'throttled':
            show(ctx, about, { ...typed, problem: 'throttled', retryAfterSeconds: outcome.retryAfter });
            return undefined;
        }
      } catch (error) {
        show(ctx, about, { ...typed, problem: 'busy', retryAfterSeconds: busySeconds(error) });
        return undefined;
      }
    },
  };
}

/** Reports all mistakes at once. Checks that need core come afterwards. */
function errorsOf(
  name: NameProblem | undefined,
  email: string | undefined,
  password: string,
  minLength: number,
): Errors {
  const address = email === undefined ? undefined : emailProblem(email);
  return {
    ...(name ? { username: nameErrors[name] } : {}),
    ...(address ? { email: nameErrors[address] } : {}),
    ...(password === '' ? { password: 'required' } : codePoints(password) < minLength ? { password: 'too-short' } : {}),
  };
}
