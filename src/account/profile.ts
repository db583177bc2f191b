/** Names and language. */
import { nameErrors } from '../http/field-errors.ts';
import type { ViewLocals } from '../http/views.ts';
import type { AccountDeps } from './deps.ts';
import { actorOf, type Show, showPage, type Take, type Visit } from './visit.ts';

type Shown = Pick<ViewLocals['account-profile'], 'firstName' | 'lastName' | 'locale' | 'errors'>;

export function createProfilePage(deps: AccountDeps): { show: Show; take: Take } {
  const show = (visit: Visit, shown: Shown) =>
    showPage(
      deps,
      visit,
      'account-profile',
      { username: visit.account.username, locales: deps.locales, ...shown },
      { status: Object.keys(shown.errors).length > 0 ? 422 : 200 },
    );

  return {
    async show(visit) {
      const { firstName, lastName, locale } = visit.account;
      return show(visit, { firstName, lastName, locale: locale ?? '', errors: {} });
    },

    async take(visit, form) {
      const firstName = form.get('first_name')?.trim() ?? '';
      const lastName = form.get('last_name')?.trim() ?? '';
      const chosen = form.get('locale') ?? '';
      const locale = deps.locales.includes(chosen) ? chosen : null;
      const profile = { firstName, lastName, locale };
      const outcome = await deps.accounts.setProfile(visit.account.subject, profile, actorOf(visit, deps.pages));
      if (outcome.outcome === 'invalid') {
        const field = outcome.field === 'lastName' ? 'lastName' : 'firstName';
        return show(visit, { ...profile, locale: chosen, errors: { [field]: nameErrors[outcome.reason] } });
      }
      // What was chosen in this browser before would hide what they have just said for all of them.
      if (locale !== null || visit.account.locale !== null) deps.pages.chooseLocale(visit.ctx, undefined);
      return { to: '/account/profile', note: { notice: 'profile-saved' } };
    },
  };
}
