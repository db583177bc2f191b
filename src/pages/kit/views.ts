/**
 * The locals of the views. Each page declares its own as a member of `ViewLocals`, next to its route. This file
 * declares those that several areas show.
 *
 * Names, addresses and sentences arrive as they were registered or typed. The views clip, isolate and escape them and
 * omit links that are not http or https, so pages pass them on unchanged.
 */
import type { ClientView } from './view-parts.ts';

/** Pages that report an outcome, with one link onward. */
export const noticeKinds = [
  'sign-up-off',
  'sign-up-invited-only',
  'invitation-gone',
  'no-mail',
  'reset-gone',
  'email-gone',
  'email-taken',
  'email-confirmed',
] as const;
type NoticeKind = (typeof noticeKinds)[number];

export interface ViewLocals {
  notice: {
    readonly kind: NoticeKind;
    readonly client?: ClientView | undefined;
    /** How long a link is valid. */
    readonly seconds?: number | undefined;
    readonly go?: { readonly to: string; readonly as: 'signIn' | 'home' | 'account' | 'again' } | undefined;
  };
  stale: {
    /** The link was the first administrator's, not a sign-in. */
    readonly setup?: boolean | undefined;
    readonly startAgain?: string | undefined;
    readonly clientName?: string | undefined;
  };
}

export type ViewName = keyof ViewLocals;
