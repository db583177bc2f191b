/** A person comes to a sign-in with a pass (core/sign-in/passes): they have set the password in this browser a moment ago. */
import { accountClient } from '../../core/clients/account-client.ts';
import type { Passes } from '../../core/sign-in/passes.ts';
import type { SignIn } from '../../core/sign-in/sign-in.ts';
import type { AccountStore } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import { requestOf } from '../kit/interaction/authorization-request.ts';
import type { WithPass } from '../kit/interaction/dispatcher.ts';
import { loginResult } from '../kit/interaction/login-result.ts';
import { isToBeKept, remember } from '../kit/interaction/sign-in-memory.ts';
import { hasPass, takePass } from '../kit/let-in.ts';

export function createWithPass(deps: {
  passes: Pick<Passes, 'take'>;
  signIn: Pick<SignIn, 'withPass'>;
  accounts: Pick<AccountStore, 'bySubject'>;
}): WithPass {
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
          const username = (await deps.accounts.bySubject(proof.subject))?.username ?? '';
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
