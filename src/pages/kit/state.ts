/** One page in one state, and the people and applications that stand in for real ones. */
import { qrCode } from './qr-code.ts';
import type { ViewLocals, ViewName } from './views.ts';

export type ViewState = {
  [V in ViewName]: { readonly name: string; readonly view: V; readonly locals: ViewLocals[V] };
}[ViewName];

export const action = '/interaction/Qw3rTy';
export const csrf = 'c0ffee';
export const bookshelf = { name: 'Bookshelf', uri: 'https://bookshelf.example/', host: 'bookshelf.example' };
/** A name as it may be: long, and without a place to break it. */
export const unbroken = 'Donaudampfschifffahrtsgesellschaft'.repeat(2).slice(0, 60);
export const account = { name: 'Ada Example', username: 'ada', email: 'ada@example.org' };
export const emptyProfile = {
  ...{ csrf, username: 'ada', firstName: 'Ada', lastName: 'Example', locale: 'en', locales: ['en'] },
  ...{ languages: [], zones: ['Europe/Berlin', 'UTC'], picture: '', zoneinfo: '', phone: '', address: {} },
};
export const scopes = [
  { name: 'openid' },
  { name: 'profile' },
  { name: 'email', isNew: true },
  { name: 'offline_access' },
];
/** An authenticator app that is being added, and the recovery codes of its person. An app can read it. */
const secret = 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP';
export const appSample = {
  secret,
  code: await qrCode(`otpauth://totp/Gatehouse:ada?secret=${secret.replaceAll(' ', '')}&issuer=Gatehouse`),
};
export const codesSample = Array.from({ length: 10 }, (_, n) => `0${n}ab-cdef-ghjk-mnpq`);
