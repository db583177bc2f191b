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
  /** Recovery codes that no page has shown yet. They stay until one does, whatever pages are opened before. */
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

  function open(ctx: Context, subject: string): { readonly until: number; readonly note: Note } | undefined {
    const sealed = ctx.cookies.get(cookie);
    const text = sealed === undefined ? undefined : unseal(key, sealed, contextOf(subject));
    if (text === undefined) return undefined;
    const opened = JSON.parse(text) as { until: number; note: Note };
    return nowSeconds() < opened.until ? opened : undefined;
  }

  /** Codes that are kept while other pages are opened keep their end, too. */
  function endOf(ctx: Context, subject: string, { codes }: Note): number {
    const before = codes && open(ctx, subject);
    const areKept = before?.note.codes?.join() === codes?.join();
    return before && areKept ? before.until : nowSeconds() + seconds;
  }

  return {
    read: (ctx, subject) => open(ctx, subject)?.note ?? {},
    write(ctx, subject, note) {
      const until = endOf(ctx, subject, note);
      const sealed = seal(key, JSON.stringify({ until, note }), contextOf(subject));
      ctx.cookies.set(cookie, sealed, { ...options, maxAge: (until - nowSeconds()) * 1000 });
    },
    clear(ctx) {
      if (ctx.cookies.get(cookie) !== undefined) ctx.cookies.set(cookie, null, options);
    },
  };
}
