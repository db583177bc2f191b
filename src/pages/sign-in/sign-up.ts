/**
 * Creates an account during an authorization and continues signed in by the new password. The e-mail address need not
 * be confirmed yet; until it is, clients receive no address.
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

/** The page itself, which also exists outside an authorization (pages/registration). */
interface SignUpPage {
  show(ctx: Context, about: About): void;
  take(ctx: Context, form: ReadonlyMap<string, string>, about: About): Promise<Account | undefined>;
}

export function createSignUpStep(deps: PageDeps, page: SignUpPage): Step {
  async function aboutOf({ interaction, action }: StepContext): Promise<About> {
    const request = requestOf(interaction);
    return {
      action: `${action}/sign-up`,
      // If the client sent `prompt=create`, the interaction's own address shows this page.
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
