/**
 * The page that asks before something ends for good. Where scripts run, a link with `data-dialog` shows its card in a
 * dialog.
 */
import type { AccountSection } from '../../kit/view-parts.ts';
import type { AccountForm } from '../visit.ts';

export const confirmations = [
  'session',
  'sessions',
  'connection',
  'application',
  'passkey',
  'factor',
  'last-factor',
  'codes',
  'identity',
] as const;

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-confirm': AccountForm & {
      readonly asks: (typeof confirmations)[number];
      readonly section: AccountSection;
      /** Of what ends, unless it is a session. A factor's may be empty. */
      readonly name?: string | undefined;
      /** Of a factor, which stands for a name that is empty: `passkey`, or the kind of a code method. */
      readonly kind?: string | undefined;
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
