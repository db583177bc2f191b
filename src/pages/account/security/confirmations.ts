/** The pages of the Security page that ask: before an action, or for a name. Scripts show them in a dialog. */
import type { ViewLocals } from '../../kit/views.ts';
import type { AccountDeps } from '../deps.ts';
import type { confirmations } from '../kit/confirm.ts';
import { securityPage } from '../kit/security-pages.ts';
import { type AccountForm, showPage, type Visit } from '../visit.ts';

interface Named {
  /** The person's name for it; may be empty. */
  readonly name: string;
  /** `passkey`, or the kind of a code method. */
  readonly kind?: string | undefined;
}

/** Where the form goes, and the field that holds the id. */
interface Target {
  readonly action: string;
  readonly field?: { readonly name: string; readonly value: string } | undefined;
}

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-security-name': AccountForm & Target & { readonly about: Named; readonly error?: 'too-long' | undefined };
  }
}

interface Question extends Target {
  readonly asks: (typeof confirmations)[number];
  /** What it is about. Absent for the recovery codes. */
  readonly about?: Named;
}

export const ask = (deps: AccountDeps, visit: Visit, { asks, action, field, about }: Question): undefined =>
  showPage(deps, visit, 'account-confirm', {
    ...{ asks, action, section: 'security', name: about?.name, kind: about?.kind },
    ...{ fields: field ? [field] : [], back: securityPage },
  });

export const askName = (
  deps: AccountDeps,
  visit: Visit,
  asked: Omit<ViewLocals['account-security-name'], keyof AccountForm>,
): undefined =>
  showPage(deps, visit, 'account-security-name', asked, { status: asked.error === undefined ? 200 : 422 });
