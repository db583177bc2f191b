/** The person's profile: names, picture, phone number, time zone, language, postal address. */
import { addressMembers, canonicalLocale, isAddressMember } from '../../core/accounts/attributes.ts';
import { fieldErrors } from '../kit/field-errors.ts';
import type { SetupError } from '../kit/view-parts.ts';
import type { ViewLocals } from '../kit/views.ts';
import type { AccountDeps } from './deps.ts';
import { languages } from './languages.ts';
import type { AccountForm } from './visit.ts';
import { callerIn, type Show, showPage, type Take, type Visit } from './visit.ts';

/** Members of a postal address (OpenID Connect Core, section 5.1.1). */
export const addressFields = ['street_address', 'postal_code', 'locality', 'region', 'country', 'formatted'] as const;
type AddressField = (typeof addressFields)[number];

type ProfileField = 'firstName' | 'lastName' | 'locale' | 'picture' | 'zoneinfo' | 'phone' | AddressField;
declare module '../kit/views.ts' {
  interface ViewLocals {
    'account-profile': AccountForm & {
      readonly username: string;
      readonly email?: string | undefined;
      readonly verified: boolean;
      readonly firstName: string;
      readonly lastName: string;
      /** Empty: that of the browser. */
      readonly locale: string;
      /** Languages of the pages, and further ones for applications. */
      readonly locales: readonly string[];
      readonly languages: readonly string[];
      /** As typed; empty if there is none. */
      readonly picture: string;
      readonly zoneinfo: string;
      readonly phone: string;
      readonly address: Readonly<Partial<Record<AddressField, string>>>;
      readonly errors: Readonly<Partial<Record<ProfileField, SetupError>>>;
    };
  }
}

type Shown = Omit<
  ViewLocals['account-profile'],
  'viewer' | 'notice' | 'csrf' | 'username' | 'email' | 'verified' | 'locales' | 'languages'
>;

export function createProfilePage(deps: AccountDeps): { show: Show; take: Take } {
  const locales = deps.locales.map((tag) => canonicalLocale(tag) ?? tag);
  const others = languages.filter((tag) => !locales.includes(tag));

  function show(visit: Visit, shown: Shown): undefined {
    const { username, email, verified } = visit.account;
    const about = { username, email: email ?? undefined, verified };
    const choices = { locales, languages: others };
    const status = Object.keys(shown.errors).length > 0 ? 422 : 200;
    return showPage(deps, visit, 'account-profile', { ...about, ...choices, ...shown }, { status });
  }

  return {
    async show(visit) {
      const { firstName, lastName, locale, picture, zoneinfo, phone, address } = visit.account;
      const texts = { picture: picture ?? '', zoneinfo: zoneinfo ?? '', phone: phone ?? '' };
      // An earlier version stored the tags as the catalogue's file names.
      const tag = locale === null ? '' : (canonicalLocale(locale) ?? locale);
      return show(visit, { firstName, lastName, locale: tag, ...texts, address: address ?? {}, errors: {} });
    },

    async take(visit, form) {
      const typed = (name: string) => form.get(name)?.trim() ?? '';
      const names = { firstName: typed('first_name'), lastName: typed('last_name') };
      const texts = { locale: typed('locale'), picture: typed('picture'), zoneinfo: typed('zoneinfo') };
      const address = Object.fromEntries(addressMembers.map((member) => [member, typed(member)]));
      const asked = { ...names, ...texts, phone: typed('phone') };
      // A field that the form does not have keeps its value, because an operator's own page may have fewer.
      const sent = Object.fromEntries(
        Object.entries({ ...asked, ...address }).filter(([name]) => form.has(fieldOf[name] ?? name)),
      );
      const outcome = await deps.accounts.setProfile(visit.account.subject, sent, callerIn(visit, deps.pages));
      if (outcome.outcome === 'invalid') {
        const { field, reason } = outcome;
        const known = field in asked || isAddressMember(field) ? field : 'firstName';
        return show(visit, { ...asked, address, errors: { [known]: fieldErrors[reason] } });
      }
      // The language chosen in this browser would override the new one.
      if (texts.locale !== '' || visit.account.locale !== null) deps.pages.chooseLocale(visit.ctx, undefined);
      return { to: '/account/profile', note: { notice: 'profile-saved' } };
    },
  };
}

const fieldOf: Readonly<Record<string, string>> = { firstName: 'first_name', lastName: 'last_name' };
