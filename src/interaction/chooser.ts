/**
 * Which of several accounts: for an application that asks (`prompt=select_account`), and for whoever wants another one than the
 * page proposes. Choosing opens nothing: only the account that is signed in already goes on without proving anything. One account
 * at a time is signed in in a browser; whoever chooses another one is signed out of the first when they have signed in.
 */
import type { CachedClients } from '../core/cached-clients.ts';
import type { Devices } from '../core/devices.ts';
import { displayName } from '../core/names.ts';
import type { AccountStore } from '../core/stores/accounts.ts';
import { callerOf } from '../http/caller.ts';
import type { Csrf } from '../http/csrf.ts';
import { browserOf } from '../http/device-cookie.ts';
import type { Pages } from '../http/page.ts';
import { seeOther } from '../http/see-other.ts';
import { formTargets, requestOf } from './authorization-request.ts';
import { choicesFor } from './choices.ts';
import { clientView } from './client-view.ts';
import type { Step } from './dispatcher.ts';

export function createChooserStep(deps: {
  pages: Pages;
  csrf: Csrf;
  clients: CachedClients;
  accounts: AccountStore;
  devices: Pick<Devices, 'accounts' | 'forget'>;
}): Step {
  return {
    async show(step) {
      const { ctx, interaction, action } = step;
      const choices = await choicesFor(deps, step);
      if (choices.length === 0) {
        seeOther(ctx, `${action}?account=other`);
        return;
      }
      const request = requestOf(interaction);
      deps.pages.show(
        ctx,
        'chooser',
        {
          action: `${action}/accounts`,
          csrf: deps.csrf.token(ctx),
          client: clientView(await deps.clients.find(request.clientId)),
          accounts: choices.map(({ id, account, current, remembered }) => ({
            id,
            name: displayName(account),
            username: account.username,
            current,
            remembered,
          })),
          cancel: action,
        },
        {
          uiLocales: request.uiLocales,
          accountLocale: choices.find(({ current }) => current)?.account.locale,
          formTargets: formTargets(request),
        },
      );
    },

    async take(step, form) {
      const { ctx, interaction, action } = step;
      const forget = form.get('forget');
      if (forget !== undefined) {
        await deps.devices.forget(browserOf(ctx), forget, callerOf(ctx));
        return { redirect: `${action}/accounts` };
      }
      const account = form.get('account') ?? '';
      if (account === 'other') return { redirect: `${action}?account=other` };
      const chosen = (await choicesFor(deps, step)).find(({ id }) => id === account);
      // Forgotten in another tab meanwhile, or never there.
      if (chosen === undefined) return { redirect: `${action}/accounts` };
      if (chosen.current && interaction.prompt.name === 'select_account') return { select_account: {} };
      return { redirect: `${action}?account=${encodeURIComponent(chosen.id)}` };
    },
  };
}
