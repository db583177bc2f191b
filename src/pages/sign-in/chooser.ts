import { displayName } from '../../core/kernel/names.ts';
import { callerOf } from '../../http/caller.ts';
import { seeOther } from '../../http/hardening.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import type { PageDeps } from '../kit/deps.ts';
import type { Step } from '../kit/interaction/dispatcher.ts';
import { frameOf } from '../kit/interaction/frame.ts';
import type { ClientForm } from '../kit/view-parts.ts';
import { choicesFor } from './choices.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    chooser: ClientForm & {
      /** At least one. */
      readonly accounts: readonly {
        readonly id: string;
        readonly name?: string | undefined;
        readonly username: string;
        /** Signed in now. */
        readonly current: boolean;
        /** This browser remembers the account, and can forget it. */
        readonly remembered: boolean;
      }[];
      readonly cancel?: string | undefined;
    };
  }
}

export function createChooserStep(deps: PageDeps): Step {
  return {
    async show(step) {
      const { ctx, action } = step;
      const choices = await choicesFor(deps, step);
      if (choices.length === 0) {
        seeOther(ctx, `${action}?account=other`);
        return;
      }
      const { locals, options } = await frameOf(deps, step);
      deps.pages.show(
        ctx,
        'chooser',
        {
          ...locals,
          action: `${action}/accounts`,
          accounts: choices.map(({ id, account, current, remembered }) => ({
            id,
            name: displayName(account),
            username: account.username,
            current,
            remembered,
          })),
          cancel: action,
        },
        { ...options, accountLocale: choices.find(({ current }) => current)?.account.locale },
      );
    },

    async take(step, form) {
      const { ctx, interaction, action } = step;
      const forget = form.get('forget');
      if (forget !== undefined) {
        await deps.knownBrowsers.forget(browserOf(ctx), forget, callerOf(ctx, 'browser'));
        return { redirect: `${action}/accounts` };
      }
      const account = form.get('account') ?? '';
      if (account === 'other') return { redirect: `${action}?account=other` };
      const chosen = (await choicesFor(deps, step)).find(({ id }) => id === account);
      // Forgotten in another tab, or never listed.
      if (chosen === undefined) return { redirect: `${action}/accounts` };
      if (chosen.current && interaction.prompt.name === 'select_account') return { select_account: {} };
      return { redirect: `${action}?account=${encodeURIComponent(chosen.id)}` };
    },
  };
}
