import { signedInForm, unbroken, type ViewState } from '../../kit/state.ts';

const emptyProfile = {
  ...signedInForm,
  username: 'ada',
  email: 'ada@example.org',
  verified: true,
  firstName: 'Ada',
  lastName: 'Example',
  locale: 'en',
  locales: ['en'],
  languages: [],
  picture: '',
  zoneinfo: '',
  phone: '',
  address: {},
};
const profile = {
  ...emptyProfile,
  picture: 'https://ada.example/me.jpg',
  phone: '+493012345678',
  zoneinfo: 'Europe/Berlin',
  languages: ['fr'],
  address: {
    street_address: 'Hauptstraße 1\nHinterhaus',
    postal_code: '10117',
    locality: 'Berlin',
    country: 'Deutschland',
  },
};

export const profileStates: readonly ViewState[] = [
  { name: 'account-profile', view: 'account-profile', locals: { ...profile, errors: {} } },
  {
    name: 'account-profile-wrong',
    view: 'account-profile',
    locals: { ...profile, locale: '', errors: { firstName: 'too-long', lastName: 'invalid' } },
  },
  {
    name: 'account-profile-empty',
    view: 'account-profile',
    locals: { ...emptyProfile, email: undefined, verified: false, errors: {} },
  },
  {
    name: 'account-profile-refused',
    view: 'account-profile',
    locals: {
      ...profile,
      verified: false,
      locale: 'tlh',
      picture: `http://${unbroken}`,
      phone: '030 12345678',
      zoneinfo: unbroken,
      address: { ...profile.address, formatted: unbroken, region: unbroken },
      errors: {
        locale: 'not-a-locale',
        picture: 'not-a-picture',
        phone: 'not-a-phone',
        zoneinfo: 'not-a-zone',
        formatted: 'too-long',
      },
    },
  },
  {
    name: 'account-notice-profile-saved',
    view: 'account-profile',
    locals: { ...emptyProfile, errors: {}, notice: 'profile-saved' },
  },
];
