/** The page after the password, for a person with a second factor: a code, through core/sign-in. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CachedClients } from '../core/cached-clients.ts';
import type { SecondFactor } from '../core/factors.ts';
import { displayName } from '../core/names.ts';
import type { SignIn } from '../core/sign-in.ts';
import type { AccountStore } from '../core/stores.ts';
import type { Csrf } from '../http/csrf.ts';
import { factsOf } from '../http/front-door.ts';
import type { Pages } from '../http/page.ts';
import type { SecondFactorError } from '../http/views.ts';
import { formTargets, requestOf } from './authorization-request.ts';
import { clientView } from './client-view.ts';
import type { InteractionResults, Step, StepContext } from './dispatcher.ts';
import { remember, type SignInMemory, waitsForSecondFactor } from './sign-in-memory.ts';

const statuses: Record<SecondFactorError, number> = {
  missing: 422,
  wrong: 422,
  used: 422,
  locked: 422,
  throttled: 429,
};

export function createSecondFactorStep(deps: {
  pages: Pages;
  csrf: Csrf;
  signIn: SignIn;
  clients: CachedClients;
  accounts: AccountStore;
}): Step {
  interface Shown {
    readonly wanted: SecondFactor;
    readonly methods: readonly SecondFactor[];
    readonly error?: SecondFactorError;
    readonly retryAfterSeconds?: number;
  }

  async function show(
    { ctx, interaction, action }: StepContext,
    memory: SignInMemory,
    { wanted, methods, error, retryAfterSeconds }: Shown,
  ): Promise<void> {
    const request = requestOf(interaction);
    const [client, account] = await Promise.all([
      deps.clients.find(request.clientId),
      memory.proof && deps.accounts.bySubject(memory.proof.subject),
    ]);
    const method = methods.includes(wanted) ? wanted : (methods[0] ?? 'recovery-code');
    const other = methods.find((one) => one !== method);
    if (retryAfterSeconds !== undefined) ctx.set('Retry-After', String(retryAfterSeconds));
    deps.pages.show(
      ctx,
      'second-factor',
      {
        action,
        csrf: deps.csrf.token(ctx),
        client: clientView(client),
        account: { name: account && displayName(account), username: account?.username ?? memory.username },
        method,
        other: other && `${action}?method=${other}`,
        error,
        retryAfterSeconds,
      },
      { status: error ? statuses[error] : 200, uiLocales: request.uiLocales, formTargets: formTargets(request) },
    );
  }

  return {
    async show(step) {
      const memory = waitsForSecondFactor(step.interaction);
      // The dispatcher has looked a moment ago.
      if (memory === undefined) throw new Error('a second factor without a password');
      const wanted = step.ctx.query.method === 'recovery-code' ? 'recovery-code' : 'totp';
      await show(step, memory, { wanted, methods: memory.methods });
    },

    async take(step, form) {
      const { ctx, interaction, action } = step;
      const memory = waitsForSecondFactor(interaction);
      if (form.get('answer') === 'restart' || memory === undefined) {
        await remember(interaction, undefined);
        return { redirect: action };
      }
      if (interaction.result?.login) return interaction.result;
      const { methods, proof } = memory;
      const wanted = form.has('recovery_code') ? 'recovery-code' : 'totp';
      const otp = (form.get('recovery_code') ?? form.get('code') ?? '').trim();
      if (otp === '') {
        await show(step, memory, { wanted, methods, error: 'missing' });
        return undefined;
      }
      const { address, id } = factsOf(ctx.req);
      const outcome = await deps.signIn.secondStep({
        proof,
        otp,
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
        case 'second-factor': {
          const finished = outcome.wrong === 'used' ? await finishedMeanwhile(step) : undefined;
          if (finished) return finished;
          await show(step, memory, { wanted, methods: outcome.methods, error: outcome.wrong ?? 'missing' });
          return undefined;
        }
        case 'throttled':
          await show(step, memory, { wanted, methods, error: 'throttled', retryAfterSeconds: outcome.retryAfter });
          return undefined;
        case 'expired':
        case 'refused':
          await remember(interaction, { username: memory.username, methods });
          return { redirect: action };
      }
    },
  };
}

/**
 * An impatient finger sends one code twice, and the browser shows the answer to the second. Where the first has signed in here,
 * in this very interaction, the second goes where the first would have gone.
 */
async function finishedMeanwhile({ provider, interaction }: StepContext): Promise<InteractionResults | undefined> {
  for (let looks = 0; looks < 10; looks += 1) {
    const now = await provider.Interaction.find(interaction.uid);
    if (now?.result?.login) return now.result;
    await sleep(100);
  }
  return undefined;
}
