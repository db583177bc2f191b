/**
 * Recovery codes. They are shown once, and count as saved when one of them has been typed. Until then they work all the
 * same, and the account pages remind the person.
 */
import { sendRecoveryCodes } from '../../kit/recovery-codes.ts';
import type { AccountDeps } from '../deps.ts';
import { codesPage, securityPage } from '../kit/security-pages.ts';
import { type AccountForm, callerIn, type Onward, type Show, showPage, type Take, type Visit } from '../visit.ts';
import { ask } from './confirmations.ts';

export const savedCodeErrors = ['missing', 'wrong'] as const;
type SavedCodeError = (typeof savedCodeErrors)[number];

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-codes': AccountForm & {
      /** Empty: they were shown before. The page only asks for one of them. */
      readonly codes: readonly string[];
      /** Id of the factor that was just added. */
      readonly added?: string | undefined;
      readonly error?: SavedCodeError | undefined;
    };
  }
}

export function createCodesPage(deps: AccountDeps): {
  show: Show;
  askNew: Show;
  make: Take;
  confirm: Take;
  download: Take;
} {
  const { factors } = deps;

  const show = (visit: Visit, codes: readonly string[], added?: string, error?: SavedCodeError): undefined =>
    showPage(deps, visit, 'account-codes', { codes, added, error }, { status: error ? 422 : 200 });

  return {
    async show(visit) {
      const { codes = [], added } = visit.note;
      const { subject } = visit.account;
      const { recoveryCodesSaved } = await factors.list(subject);
      if (recoveryCodesSaved) return { to: securityPage };
      // They may have been kept for some minutes, in which other ones can have been made elsewhere.
      return show(visit, (await factors.areCurrent(subject, codes)) ? codes : [], added);
    },

    askNew: async (visit) =>
      visit.account.twoFactor ? ask(deps, visit, { asks: 'codes', action: codesPage }) : { to: securityPage },

    async make(visit) {
      const codes = await factors.regenerateRecoveryCodes(visit.account.subject, callerIn(visit, deps.pages));
      return codes ? { to: codesPage, note: { codes } } : { to: securityPage };
    },

    async confirm(visit, form): Promise<Onward | undefined> {
      const typed = form.get('recovery_code')?.trim() ?? '';
      const added = /^[\w-]{1,64}$/.exec(form.get('added') ?? '')?.[0];
      const codes = codesIn(form) ?? [];
      if (typed === '') return show(visit, codes, added, 'missing');
      const isRight = await factors.confirmSaved(visit.account.subject, typed, callerIn(visit, deps.pages));
      if (!isRight) return show(visit, codes, added, 'wrong');
      return { to: securityPage, note: { notice: 'codes-saved', ...(added !== undefined && { added }) } };
    },

    /** The page sends the codes and gets them back as a file, so that they are not stored for this. */
    async download({ ctx }, form) {
      const codes = codesIn(form);
      if (codes === undefined) return { to: securityPage };
      sendRecoveryCodes(ctx, codes);
      return undefined;
    },
  };
}

function codesIn(form: ReadonlyMap<string, string>): readonly string[] | undefined {
  const codes = form.get('codes') ?? '';
  return /^[0-9a-z-]{4,40}( [0-9a-z-]{4,40}){0,19}$/.test(codes) ? codes.split(' ') : undefined;
}
