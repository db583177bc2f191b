/**
 * Adds an authenticator app in two steps: the secret as a QR code, then a code from the app as proof. Between them the
 * secret is in a sealed flash message of the browser; after the confirmation it is never shown again (security.md B11).
 */

import { appName } from '../../kit/factor-names.ts';
import { qrCode } from '../../kit/qr-code.ts';
import type { AccountDeps } from '../deps.ts';
import { codesPage, securityPage } from '../kit/security-pages.ts';
import type { AccountForm } from '../visit.ts';
import { callerIn, type Onward, type Show, showPage, type Take, type Visit } from '../visit.ts';

export const appCodeErrors = ['missing', 'wrong'] as const;

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-app': AccountForm & {
      /** Base32, in groups. */
      readonly secret: string;
      /** `otpauth:`, for an app on the device that shows the page. */
      readonly uri: string;
      readonly code: { readonly size: number; readonly path: string };
      readonly error?: (typeof appCodeErrors)[number] | undefined;
    };
  }
}

const list = '/account/factors';

export function createEnrolmentPage(deps: AccountDeps): { begin: Take; show: Show; confirm: Take } {
  const [kind] = deps.factors.enrols;

  async function show(visit: Visit, error?: 'missing' | 'wrong'): Promise<Onward | undefined> {
    const { enrolment } = visit.note;
    if (!enrolment) return { to: securityPage };
    const secret = enrolment.secret.match(/.{1,4}/g)?.join(' ') ?? '';
    const code = await qrCode(enrolment.uri);
    return showPage(
      deps,
      visit,
      'account-app',
      { secret, uri: enrolment.uri, code, error },
      { status: error ? 422 : 200 },
    );
  }

  return {
    async begin({ ctx, account }, form) {
      const name = form.get('name')?.trim() || appName(ctx);
      const begun = await deps.factors.begin(kind, account.subject, { name });
      if (begun.outcome !== 'begun') return { to: securityPage, note: { notice: 'factor-too-many' } };
      const { factorId, secret, uri } = begun;
      return { to: `${list}/app`, note: { enrolment: { factorId, secret, uri } } };
    },

    show: (visit) => show(visit),

    async confirm(visit, form) {
      const { enrolment } = visit.note;
      // Confirmed in another tab, or started too long ago.
      if (!enrolment) return { to: securityPage, note: { notice: 'app-gone' } };
      const code = form.get('code')?.trim() ?? '';
      if (code === '') return show(visit, 'missing');
      const { account, session } = visit;
      const { subject } = account;
      const outcome = await deps.factors.confirm(kind, subject, enrolment.factorId, code, callerIn(visit, deps.pages));
      switch (outcome.outcome) {
        case 'enrolled':
          await deps.sessions.strengthen(session.uid, ['otp', 'mfa']);
          return afterwards(enrolment.factorId, outcome.recoveryCodes);
        case 'wrong-code':
          return show(visit, 'wrong');
        case 'gone':
          return { to: securityPage, note: { notice: 'app-gone' } };
      }
    },
  };
}

/** The name is asked after the success: it is optional, and must not stand in the way. */
function afterwards(added: string, codes: readonly string[]): Onward {
  const note = { notice: 'factor-added', added } as const;
  return codes.length > 0 ? { to: codesPage, note: { ...note, codes } } : { to: securityPage, note };
}
