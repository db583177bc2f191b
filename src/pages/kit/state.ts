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
/** Registered by another person; no operator has looked at it. */
export const unknownShop = {
  name: 'Google Drive',
  uri: 'https://drive.example/',
  host: 'drive.example',
  unreviewed: true,
};
/** Long enough to be clipped. */
export const longName = 'The Very Long Named Reading and Lending Library of Upper Example';
export const account = { name: 'Ada Example', username: 'ada', email: 'ada@example.org' };
/** An authenticator app that is being added, and the recovery codes of its person. An app can read it. */
const secret = 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP';
export const appSample = {
  secret,
  code: await qrCode(`otpauth://totp/Gatehouse:ada?secret=${secret.replaceAll(' ', '')}&issuer=Gatehouse`),
};
export const codesSample = Array.from({ length: 10 }, (_, n) => `0${n}ab-cdef-ghjk-mnpq`);
/** The second factor that is switched on at once, and whose codes are sent. */
export const sentKind = 'email-code';
/** What the browser is asked for a passkey. */
export const passkey = JSON.stringify({ challenge: 'Y2hhbGxlbmdl', rpId: 'localhost', userVerification: 'preferred' });
/** Seconds since the epoch. */
export const at = 1_800_000_000;
