/** The sign-in page: a name and a password, through core/sign-in. */
import { Unavailable } from '../base/errors.ts';
import type { CachedClients } from '../core/cached-clients.ts';
import type { SignIn } from '../core/sign-in.ts';
import type { Csrf } from '../http/csrf.ts';
import { factsOf } from '../http/front-door.ts';
import type { Pages } from '../http/page.ts';
import type { LoginError } from '../http/views.ts';
import { formTargets, requestOf } from './authorization-request.ts';
import { clientView } from './client-view.ts';
import type { Step, StepContext } from './dispatcher.ts';

const statuses: Record<LoginError, number> = { missing: 422, wrong: 422, throttled: 429, busy: 503 };

export function createLoginStep(deps: { pages: Pages; csrf: Csrf; signIn: SignIn; clients: CachedClients }): Step {
  interface Shown {
    readonly username?: string | undefined;
    readonly error?: LoginError;
    readonly retryAfterSeconds?: number;
  }

  async function show(
    { ctx, interaction, action }: StepContext,
    { username, error, retryAfterSeconds }: Shown,
  ): Promise<void> {
    const request = requestOf(interaction);
    if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
    deps.pages.show(
      ctx,
      'login',
      {
        action,
        csrf: deps.csrf.token(ctx),
        client: clientView(await deps.clients.find(request.clientId)),
        username,
        error,
        retryAfterSeconds,
        cancel: action,
      },
      { status: error ? statuses[error] : 200, uiLocales: request.uiLocales, formTargets: formTargets(request) },
    );
  }

  return {
    show: (step) => show(step, { username: requestOf(step.interaction).loginHint }),

    async take(step, form) {
      const { ctx } = step;
      const username = form.get('username')?.trim() ?? '';
      const password = form.get('password') ?? '';
      if (username === '' || password === '') {
        await show(step, { username, error: 'missing' });
        return undefined;
      }
      const { address, id } = factsOf(ctx.req);
      try {
        const outcome = await deps.signIn.signIn({
          username,
          password,
          address,
          userAgent: ctx.get('User-Agent'),
          via: 'browser',
          requestId: id,
        });
        switch (outcome.outcome) {
          case 'signed-in':
            return {
              login: { accountId: outcome.account.subject, amr: [...outcome.amr], ts: outcome.at, remember: true },
            };
          case 'throttled':
            await show(step, { username, error: 'throttled', retryAfterSeconds: outcome.retryAfter });
            return undefined;
          case 'refused':
            await show(step, { username, error: 'wrong' });
            return undefined;
          case 'second-factor':
            throw new Error('there is no page for a second factor yet');
        }
      } catch (error) {
        // Everything a person typed but the password is still there when the queue is full: trying again is one click.
        if (!(error instanceof Unavailable) || error.what !== 'busy') throw error;
        await show(step, { username, error: 'busy', retryAfterSeconds: error.retryAfter });
        return undefined;
      }
    },
  };
}
