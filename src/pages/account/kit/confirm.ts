/**
 * The page that asks before something ends for good. Where scripts run, a link with `data-dialog` shows its card in a
 * dialog.
 */
import type { AccountSection } from '../../kit/view-parts.ts';
import type { AccountForm } from '../visit.ts';

export const confirmations = ['session', 'sessions', 'connection', 'application'] as const;

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-confirm': AccountForm & {
      readonly asks: (typeof confirmations)[number];
      readonly section: AccountSection;
      /** Of the application. */
      readonly name?: string | undefined;
      /** Whose session it is. */
      readonly device?:
        | { readonly door: string; readonly program?: string | undefined; readonly system?: string | undefined }
        | undefined;
      /** Other sessions; absent if there are too many to count. */
      readonly count?: number | undefined;
      readonly action: string;
      readonly fields: readonly { readonly name: string; readonly value: string }[];
      readonly back: string;
    };
  }
}
