/** The sign-in page: a name and a password, through core/sign-in. A second factor is the next page's business. */
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
import { memoryOf, remember } from './sign-in-memory.ts';

const statuses: Record<LoginError, number> = {
  missing: 422,
  wrong: 422,
  expired: 422,
  throttled: 429,
  busy: 503,
};

export function createLoginStep(deps: { pages: Pages; csrf: Csrf; signIn: SignIn; clients: CachedClients }): Step {
  interface Shown {
    readonly username?: string | undefined;
    readonly error?: LoginError;
    readonly retryAfterSeconds?: number;
    /** Otherwise what the error says. */
    readonly status?: number;
  }

  async function show(
    { ctx, interaction, action }: StepContext,
    { username, error, retryAfterSeconds, status = error ? statuses[error] : 200 }: Shown,
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
      { status, uiLocales: request.uiLocales, formTargets: formTargets(request) },
    );
  }

  return {
    async show(step) {
      // Here again although the password was right: the code took too long, or the password has been changed meanwhile.
      const memory = memoryOf(step.interaction);
      if (memory) await show(step, { username: memory.username, error: 'expired', status: 200 });
      else await show(step, { username: requestOf(step.interaction).loginHint });
    },

    async take(step, form) {
      const { ctx, interaction, action } = step;
      const memory = memoryOf(interaction);
      const username = form.get('username')?.trim() ?? '';
      const password = form.get('password') ?? '';
      if (!form.has('password') && (form.has('code') || form.has('recovery_code'))) {
        await show(step, { username: memory?.username, error: 'expired' });
        return undefined;
      }
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
            await remember(interaction, { username, proof: outcome.proof, methods: outcome.methods });
            return { redirect: action };
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
