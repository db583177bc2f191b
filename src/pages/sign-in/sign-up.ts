/**
 * Making an account in the middle of an authorization: whoever has made one goes on with it, signed in by the password just set.
 * That the address is not proved yet stops nobody; applications see that there is none so far.
 */
import type { Context } from 'koa';
import { nowSeconds } from '../../base/clock.ts';
import type { Account } from '../../core/stores/accounts.ts';
import { callerOf } from '../../http/caller.ts';
import type { PageDeps } from '../kit/deps.ts';
import { formTargets, requestOf } from '../kit/interaction/authorization-request.ts';
import { clientView } from '../kit/interaction/client-view.ts';
import type { Step, StepContext } from '../kit/interaction/dispatcher.ts';
import { loginResult } from '../kit/interaction/login-result.ts';
import { isToBeKept } from '../kit/interaction/memory.ts';
import type { ClientView } from '../kit/view-parts.ts';

interface About {
  readonly action: string;
  readonly client: ClientView | undefined;
  readonly signIn: string;
  readonly uiLocales: string | undefined;
  readonly formTargets: readonly string[];
}

/** The page itself, which also stands alone (pages/registration). */
interface SignUpPage {
  show(ctx: Context, about: About): void;
  take(ctx: Context, form: ReadonlyMap<string, string>, about: About): Promise<Account | undefined>;
}

export function createSignUpStep(deps: PageDeps, page: SignUpPage): Step {
  async function aboutOf({ interaction, action }: StepContext): Promise<About> {
    const request = requestOf(interaction);
    return {
      action: `${action}/sign-up`,
      // Where the application asked for this very page, the interaction's own address leads here.
      signIn: interaction.prompt.name === 'create' ? `${action}?account=other` : action,
      client: clientView(await deps.cached.find(request.clientId)),
      uiLocales: request.uiLocales,
      formTargets: formTargets(request),
    };
  }

  return {
    async show(step) {
      page.show(step.ctx, await aboutOf(step));
    },

    async take(step, form) {
      const account = await page.take(step.ctx, form, await aboutOf(step));
      if (!account) return undefined;
      const caller = callerOf(step.ctx, 'browser');
      const amr = ['pwd'] as const;
      const detail = { via: 'browser', amr: [...amr], signed_up: true };
      await deps.audit.record('sign_in.succeeded', { subject: account.subject, caller, detail });
      deps.activity.seen(account.subject);
      return loginResult({ account, amr, at: nowSeconds() }, isToBeKept(step.interaction));
    },
  };
}
