/** Pages that ask before an action, and the page that asks for a name. Scripts show them in a dialog. */
import type { ViewLocals } from '../../kit/views.ts';
import type { AccountDeps } from '../deps.ts';
import { type AccountForm, showPage, type Visit } from '../visit.ts';

interface Named {
  /** The person's name for it; may be empty. */
  readonly name: string;
  /** `passkey`, or the kind of a code method. */
  readonly kind: string;
}

/** Where the form goes, and the field that holds the id. */
interface Target {
  readonly action: string;
  readonly field?: { readonly name: string; readonly value: string } | undefined;
}

declare module '../../kit/views.ts' {
  interface ViewLocals {
    'account-security-confirm': AccountForm &
      Target & {
        readonly question: 'passkey' | 'factor' | 'last-factor' | 'codes' | 'identity';
        /** What it is about. Absent for the recovery codes. */
        readonly about?: Named | undefined;
      };
    'account-security-name': AccountForm & Target & { readonly about: Named; readonly error?: 'too-long' | undefined };
  }
}

type Question = Target & Pick<ViewLocals['account-security-confirm'], 'question' | 'about'>;

export const ask = (deps: AccountDeps, visit: Visit, question: Question): undefined =>
  showPage(deps, visit, 'account-security-confirm', question);

export const askName = (
  deps: AccountDeps,
  visit: Visit,
  asked: Target & { readonly about: Named; readonly error?: 'too-long' },
): undefined =>
  showPage(deps, visit, 'account-security-name', asked, { status: asked.error === undefined ? 200 : 422 });

/** The id in the address of such a page. */
export function idIn({ ctx }: Visit, field: string): string {
  const value = ctx.query[field];
  return typeof value === 'string' ? value : '';
}
