/** The states of pages that the gallery and the tests render, with sample people and clients. */
import { nowSeconds } from '../../base/clock.ts';
import { qrCode } from './qr-code.ts';
import type { ViewLocals, ViewName } from './views.ts';

export type ViewState = {
  [V in ViewName]: { readonly name: string; readonly view: V; readonly locals: ViewLocals[V] };
}[ViewName];

export const action = '/interaction/Qw3rTy';
export const csrf = 'c0ffee';
export const bookshelf = { name: 'Bookshelf', uri: 'https://bookshelf.example/', host: 'bookshelf.example' };
/** A long name without a place to break the line. */
export const unbroken = 'Donaudampfschifffahrtsgesellschaft'.repeat(2).slice(0, 60);
/** An unreviewed client that another person registered. */
export const unknownShop = {
  name: 'Google Drive',
  uri: 'https://drive.example/',
  host: 'drive.example',
  unreviewed: true,
};
/** Long enough to be clipped. */
export const longName = 'The Very Long Named Reading and Lending Library of Upper Example';
export const account = { name: 'Ada Example', username: 'ada', email: 'ada@example.org' };
/** What every account page is given, and every one with a form. */
export const signedIn = { viewer: { name: account.name, username: account.username } };
export const signedInForm = { ...signedIn, csrf };
/** An enrolment of an authenticator app. The QR code is valid. */
const secret = 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP';
const uri = `otpauth://totp/Gatehouse:ada?secret=${secret.replaceAll(' ', '')}&issuer=Gatehouse`;
export const appSample = { secret, uri, code: await qrCode(uri) };
export const codesSample = Array.from({ length: 10 }, (_, n) => `0${n}ab-cdef-ghjk-mnpq`);
/** A second factor whose codes are sent. */
export const sentKind = 'email-code';
/** WebAuthn request options. */
export const passkey = JSON.stringify({ challenge: 'Y2hhbGxlbmdl', rpId: 'localhost', userVerification: 'preferred' });
/** Seconds since the epoch. */
export const at = 1_800_000_000;
/** For pages that say how long ago something was. */
export const before = (seconds: number): number => nowSeconds() - seconds;
