import { callerOf } from '../../http/caller.ts';
import { browserOf, keepBrowser } from '../kit/browser-cookie.ts';
import type { PageDeps } from '../kit/deps.ts';
import { requestOf } from '../kit/interaction/authorization-request.ts';
import type { StepContext } from '../kit/interaction/dispatcher.ts';
import type { Login } from '../kit/interaction/login-result.ts';

export function createArrival(deps: PageDeps) {
  return async ({ ctx, interaction }: StepContext, login: Login, byPass: boolean): Promise<void> => {
    try {
      const browser = await deps.knownBrowsers.arrived({
        subject: login.accountId,
        id: interaction.uid,
        browser: browserOf(ctx),
        again: byPass || interaction.session?.accountId === login.accountId,
        keep: login.remember === true,
        caller: callerOf(ctx, 'browser'),
        locale: deps.pages.localeOf(ctx, requestOf(interaction).uiLocales),
      });
      if (browser !== undefined) keepBrowser(ctx, browser);
      const account = await deps.stores.accounts.bySubject(login.accountId);
      if (account) deps.pages.noteReader(ctx, account.locale);
    } catch (err) {
      // Remembering the browser is optional: its failure must not stop the sign-in.
      deps.log.warn({ err, subject: login.accountId }, 'a browser could not be remembered');
    }
  };
}
