/** Signs a person in with a pass (core/sign-in/passes), because they have just set their password in this browser. */
import { accountClient } from '../../core/clients/account-client.ts';
import { callerOf } from '../../http/caller.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { PageDeps } from '../kit/deps.ts';
import { requestOf } from '../kit/interaction/authorization-request.ts';
import type { WithPass } from '../kit/interaction/dispatcher.ts';
import { loginResult } from '../kit/interaction/login-result.ts';
import { isToBeKept, remember } from '../kit/interaction/memory.ts';
import { hasPass, takePass } from '../kit/let-in.ts';

export function createWithPass(deps: PageDeps): WithPass {
  return {
    isFor: ({ ctx, interaction }) => hasPass(ctx) && requestOf(interaction).clientId === accountClient,

    async take({ ctx, interaction, action }) {
      const value = takePass(ctx);
      const pass = value === undefined ? undefined : await deps.passes.take(value);
      if (pass === undefined) return { redirect: action };
      const origin = { ...callerOf(ctx, 'browser'), browser: browserOf(ctx) };
      const outcome = await deps.signIn.withPass({ ...pass, ...origin });
      switch (outcome.outcome) {
        case 'signed-in':
          return loginResult(outcome, isToBeKept(interaction));
        case 'second-factor': {
          const { proof, methods, short, mailed } = outcome;
          const username = (await deps.stores.accounts.bySubject(proof.subject))?.username ?? '';
          const mailedTo = mailed === undefined || mailed.outcome === 'failed' ? undefined : mailed.to;
          await remember(interaction, { username, proof, methods, short, mailedTo });
          return { redirect: action };
        }
        case 'expired':
        case 'refused':
        case 'throttled':
          return { redirect: action };
      }
    },
  };
}
