/** The session that stands while somebody who is signed in is asked for more. */
import type { Amr } from '../../../core/kernel/amr.ts';
import type { AccountStore } from '../../../core/stores/accounts.ts';
import type { BrowserSession } from '../browser-session.ts';
import type { StepContext } from './dispatcher.ts';

export interface CurrentSession extends Pick<BrowserSession, 'account' | 'signedInAt'> {
  readonly amr: readonly Amr[];
  /** It outlives the closing of the browser, and goes on doing so. */
  readonly keep: boolean;
}

/** Undefined where it is not the one that the interaction was begun in any more, or its person is disabled or gone. */
export async function currentSessionOf(
  { ctx, provider, interaction }: StepContext,
  accounts: Pick<AccountStore, 'bySubject'>,
): Promise<CurrentSession | undefined> {
  const session = await provider.Session.get(ctx);
  const begun = interaction.session;
  if (session.accountId === undefined || session.uid !== begun?.uid || session.accountId !== begun.accountId)
    return undefined;
  const account = await accounts.bySubject(session.accountId);
  if (account?.disabledAt !== null) return undefined;
  return {
    account,
    // As they were written at the sign-in.
    amr: (session.amr ?? []) as Amr[],
    signedInAt: session.loginTs ?? 0,
    keep: session.transient !== true,
  };
}
