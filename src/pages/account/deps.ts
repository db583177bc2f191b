/** The dependencies of the account pages. */
import type { Context } from 'koa';
import type { BrowserSession } from '../kit/browser-session.ts';
import type { PageDeps } from '../kit/deps.ts';
import type { AskedHere } from '../kit/mail/asked-here.ts';
import type { FlashMessages } from './flash-messages.ts';

export interface AccountDeps extends PageDeps {
  readonly flashMessages: FlashMessages;
  readonly askedHere: AskedHere;
  /** The session of this browser; undefined if there is none, or if it does not suffice for these pages. */
  readonly session: (ctx: Context) => Promise<BrowserSession | undefined>;
}
