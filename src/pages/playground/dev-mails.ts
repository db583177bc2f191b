/**
 * /dev/mails: shows mails in development without a mail server; /dev/mails/<number> is the HTML of one. Their links
 * give access to accounts, and this machine may have other users, so both need the link that the start prints. Its key
 * works once, for a cookie; key and cookie are valid only for this process.
 */
import type { Context, Next } from 'koa';
import { randomToken, sameSecret } from '../../base/secrets.ts';
import type { Message } from '../../core/mail/mailer.ts';
import { seeOther } from '../../http/hardening.ts';
import { pageRoutes, type Route } from '../../http/routes.ts';
import { showMail } from '../kit/mail/mail-page.ts';
import type { Pages } from '../kit/page.ts';

declare module '../kit/views.ts' {
  interface ViewLocals {
    'dev-mails': {
      /** Undefined if this browser has not opened the link in the terminal. */
      readonly mails:
        | readonly {
            readonly number: number;
            readonly to: string;
            readonly subject: string;
            readonly text: string;
            readonly link: string | undefined;
            /** Seconds since the epoch. */
            readonly at: number;
          }[]
        | undefined;
    };
  }
}

interface ShownMailbox {
  /** Gives access to the page, once. */
  readonly key: string;
  list(): readonly (Message & { readonly number: number; readonly at: number })[];
}

export interface DevMailsDeps {
  readonly pages: Pages;
  readonly issuer: string;
  /** Undefined if mails are sent in another way. */
  readonly mailbox: ShownMailbox | undefined;
}

const path = '/dev/mails';

export function devMailsRoutes({ pages, issuer, mailbox }: DevMailsDeps): readonly Route[] {
  const { port, protocol } = new URL(issuer);
  // Cookies are shared between ports, and a developer may run two servers.
  const cookie = `gatehouse-dev-mails${port && `-${port}`}`;
  const pass = randomToken(24);
  let used = false;
  const knows = (ctx: Context) => sameSecret(ctx.cookies.get(cookie) ?? '', pass);

  const show = (ctx: Context, next: Next) => {
    if (!mailbox) return next();
    const { key } = ctx.query;
    if (key === undefined && knows(ctx)) return pages.show(ctx, 'dev-mails', { mails: mailbox.list() });
    if (!knows(ctx)) {
      // A HEAD request does not use the key up.
      const right = ctx.method === 'GET' && !used && typeof key === 'string' && sameSecret(key, mailbox.key);
      if (!right) return pages.show(ctx, 'dev-mails', { mails: undefined }, { status: 403 });
      used = true;
      ctx.cookies.set(cookie, pass, { httpOnly: true, sameSite: 'lax', secure: protocol === 'https:', path });
    }
    return seeOther(ctx, path);
  };

  const showOne = (ctx: Context, next: Next) => {
    if (!mailbox) return next();
    if (!knows(ctx)) return pages.show(ctx, 'dev-mails', { mails: undefined }, { status: 403 });
    const mail = mailbox.list().find(({ number }) => ctx.path === `${path}/${number}`);
    return mail ? showMail(ctx, mail.html, mail.locale) : next();
  };

  const when = { holds: mailbox !== undefined, says: 'in development without SMTP_URL' };
  return pageRoutes('pages/playground', [
    { path, access: 'developer', when, GET: show },
    { path: `${path}/:mail`, access: 'developer', when, GET: showOne },
  ]);
}
