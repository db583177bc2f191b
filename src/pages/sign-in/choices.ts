/** The accounts to choose from in this browser: the one that is signed in and the remembered ones. */

import { usernameKey } from '../../core/kernel/names.ts';
import type { KnownBrowsers } from '../../core/known-browsers/known-browsers.ts';
import type { Account, AccountStore } from '../../core/stores/accounts.ts';
import { browserOf } from '../kit/browser-cookie.ts';
import { requestOf } from '../kit/interaction/authorization-request.ts';
import type { StepContext } from '../kit/interaction/dispatcher.ts';

interface Choice {
  readonly id: string;
  readonly account: Account;
  /** Signed in now. */
  readonly current: boolean;
  readonly remembered: boolean;
}

/** The id of the signed-in account if this browser does not remember it. */
const currentId = 'current';

interface ChoiceDeps {
  readonly knownBrowsers: Pick<KnownBrowsers, 'accounts'>;
  readonly stores: { readonly accounts: Pick<AccountStore, 'bySubject'> };
}

/** Order: the client's `login_hint`, the signed-in account, then the last used. */
export async function choicesFor(deps: ChoiceDeps, { ctx, interaction }: StepContext): Promise<Choice[]> {
  const subject = interaction.session?.accountId;
  const [known, current] = await Promise.all([
    deps.knownBrowsers.accounts(browserOf(ctx)),
    subject === undefined ? undefined : deps.stores.accounts.bySubject(subject),
  ]);
  const choices = known.map(
    ({ id, account }): Choice => ({ id, account, current: account.subject === subject, remembered: true }),
  );
  if (current && !choices.some((choice) => choice.current))
    choices.push({ id: currentId, account: current, current: true, remembered: false });
  const hint = hintedKey(interaction);
  const rank = (choice: Choice) => (isHinted(choice.account, hint) ? 0 : choice.current ? 1 : 2);
  return choices.sort((a, b) => rank(a) - rank(b));
}

/** The parameter `account` of the sign-in page: `other`, or the id of a choice. */
export function chosenIn({ ctx }: Pick<StepContext, 'ctx'>): string | undefined {
  const { account } = ctx.query;
  return typeof account === 'string' && account !== '' ? account : undefined;
}

function hintedKey(interaction: StepContext['interaction']): string | undefined {
  const { loginHint } = requestOf(interaction);
  return loginHint === undefined ? undefined : usernameKey(loginHint.trim());
}

function isHinted(account: Account, hint: string | undefined): boolean {
  return hint !== undefined && (account.usernameKey === hint || (account.verified && account.emailKey === hint));
}
