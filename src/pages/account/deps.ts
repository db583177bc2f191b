/** What the account pages receive: what all pages do, and what is theirs alone. */
import type { Context } from 'koa';
import type { BrowserSession } from '../kit/browser-session.ts';
import type { PageDeps } from '../kit/deps.ts';
import type { FlashMessages } from './flash-messages.ts';

export interface AccountDeps extends PageDeps {
  readonly flashMessages: FlashMessages;
  /** The session of this browser; undefined: none, or one that is not enough for these pages. */
  readonly session: (ctx: Context) => Promise<BrowserSession | undefined>;
}
