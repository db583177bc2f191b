/**
 * What one page passes on to the next: a notice, an address typed before a repeated sign-in, an enrolment in progress,
 * recovery codes that are shown once. Kept in a sealed cookie for one account, for 15 minutes, so that nothing of it is
 * in an address, a log or the database.
 */
import type { Context } from 'koa';
import { nowSeconds } from '../../base/clock.ts';
import { deriveKey, seal, unseal } from '../../base/secrets.ts';
import type { UpstreamProof } from '../../core/upstream/upstream.ts';
import type { AccountNotice } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';

export interface Note {
  readonly notice?: AccountNotice;
  /** As typed. */
  readonly email?: string;
  /** The address of a new account. Only the sign-up writes it: a link to it is sent again without a fresh sign-in. */
  readonly unconfirmed?: string;
  /** The authenticator app that is being enrolled. */
  readonly enrolment?: { readonly factorId: string; readonly secret: string; readonly uri: string };
  readonly codes?: readonly string[];
  /** Id of the passkey or app that was just added. */
  readonly added?: string;
  /** Proved by a provider, but not yet connected. */
  readonly identity?: UpstreamProof;
  readonly upstreamFailed?: ViewLocals['account-security']['failed'];
}

export interface FlashMessages {
  read(ctx: Context, subject: string): Note;
  write(ctx: Context, subject: string, note: Note): void;
  clear(ctx: Context): void;
}

const seconds = 900;

export function createFlashMessages(secretKey: string, secure: boolean): FlashMessages {
  const key = deriveKey(secretKey, 'account-notes');
  const cookie = secure ? '__Host-gatehouse-note' : 'gatehouse-note';
  const options = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true } as const;
  const contextOf = (subject: string) => `note:${subject}`;

  return {
    read(ctx, subject) {
      const sealed = ctx.cookies.get(cookie);
      const text = sealed === undefined ? undefined : unseal(key, sealed, contextOf(subject));
      if (text === undefined) return {};
      const { until, note } = JSON.parse(text) as { until: number; note: Note };
      return nowSeconds() < until ? note : {};
    },
    write(ctx, subject, note) {
      const text = JSON.stringify({ until: nowSeconds() + seconds, note });
      ctx.cookies.set(cookie, seal(key, text, contextOf(subject)), { ...options, maxAge: seconds * 1000 });
    },
    clear(ctx) {
      if (ctx.cookies.get(cookie) !== undefined) ctx.cookies.set(cookie, null, options);
    },
  };
}
