/** The session of a person who is asked for a further proof while signed in. */
import type { Amr } from '../../../core/kernel/amr.ts';
import type { AccountStore } from '../../../core/stores/accounts.ts';
import type { BrowserSession } from '../browser-session.ts';
import type { StepContext } from './dispatcher.ts';

export interface CurrentSession extends Pick<BrowserSession, 'account' | 'signedInAt'> {
  readonly amr: readonly Amr[];
  /** The session survives the closing of the browser. */
  readonly keep: boolean;
}

/**
 * Returns undefined if the session is not the one in which the interaction began, or if the account is disabled or
 * deleted.
 */
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
    // Written at the sign-in, by this server.
    amr: (session.amr ?? []) as Amr[],
    signedInAt: session.loginTs ?? 0,
    keep: session.transient !== true,
  };
}
