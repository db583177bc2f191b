/**
 * Remembers in a sealed cookie that this browser has named an address for an account. The mailed link then confirms the
 * address at once in this browser. A session is not enough: another person may have signed this browser in.
 */
import type { Context } from 'koa';
import { nowSeconds } from '../../../base/clock.ts';
import { deriveKey, seal, unseal } from '../../../base/secrets.ts';
import type { PendingEmail } from '../../../core/accounts/emails.ts';
import { emailKey } from '../../../core/kernel/names.ts';
import type { PageDeps } from '../deps.ts';

export interface AskedHere {
  /** The form of this browser was accepted. Also called if no mail is sent, so that no answer differs. */
  keep(ctx: Context, subject: string, email: string): void;
  /** Only the last account and address count. */
  holds(ctx: Context, pending: PendingEmail): boolean;
  clear(ctx: Context): void;
}

export function createAskedHere({
  secrets,
  secure,
  config,
}: Pick<PageDeps, 'secrets' | 'secure' | 'config'>): AskedHere {
  const key = deriveKey(secrets.secretKey, 'address-asked-here');
  const cookie = secure ? '__Host-gatehouse-asked' : 'gatehouse-asked';
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true } as const;
  const seconds = config.mail.emailLinkTtl;
  const contextOf = (subject: string, email: string) => `asked:${subject}:${emailKey(email) ?? ''}`;

  return {
    keep(ctx, subject, email) {
      const sealed = seal(key, String(nowSeconds() + seconds), contextOf(subject, email));
      ctx.cookies.set(cookie, sealed, { ...options, maxAge: seconds * 1000 });
    },
    holds(ctx, { account, email }) {
      const sealed = ctx.cookies.get(cookie);
      const until = sealed === undefined ? undefined : unseal(key, sealed, contextOf(account.subject, email));
      return until !== undefined && nowSeconds() < Number(until);
    },
    clear(ctx) {
      if (ctx.cookies.get(cookie) !== undefined) ctx.cookies.set(cookie, null, options);
    },
  };
}
