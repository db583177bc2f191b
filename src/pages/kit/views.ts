/**
 * What each view is given: its page declares it, beside the route that shows it, as a member of `ViewLocals`. Here are
 * those that several areas show.
 *
 * Names, addresses and sentences arrive as they were registered or typed. The views clip, isolate and escape them and
 * leave out any link that is not http or https, so no page prepares a value for being shown.
 */
import type { ClientView } from './view-parts.ts';

/** Pages that say how something ended, and where to go from there. */
export const noticeKinds = [
  'sign-up-off',
  'sign-up-invited-only',
  'invitation-gone',
  'signed-up',
  'signed-up-mail',
  'no-mail',
  'reset-sent',
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
    /** How long a link works. */
    readonly seconds?: number | undefined;
    readonly go?: { readonly to: string; readonly as: 'signIn' | 'home' | 'account' | 'again' } | undefined;
  };
  stale: {
    /** It was the first administrator's link, not a sign-in. */
    readonly setup?: boolean | undefined;
    readonly startAgain?: string | undefined;
    readonly clientName?: string | undefined;
  };
}

export type ViewName = keyof ViewLocals;
