/** One page in one state, and the people and applications that stand in for real ones. */
import type { ViewLocals, ViewName } from '../http/views.ts';

export type ViewState = {
  [V in ViewName]: { readonly name: string; readonly view: V; readonly locals: ViewLocals[V] };
}[ViewName];

export const action = '/interaction/Qw3rTy';
export const csrf = 'c0ffee';
export const bookshelf = { name: 'Bookshelf', uri: 'https://bookshelf.example/', host: 'bookshelf.example' };
export const account = { name: 'Ada Example', username: 'ada', email: 'ada@example.org' };
export const scopes = [
  { name: 'openid' },
  { name: 'profile' },
  { name: 'email', isNew: true },
  { name: 'offline_access' },
];
/** An authenticator app that is being added, and the recovery codes of its person. */
export const appSample = {
  secret: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP',
  code: { size: 12, path: 'M4 4.5h2m1 0h1M4 5.5h1m2 0h1M5 6.5h3M4 7.5h1' },
};
export const codesSample = Array.from({ length: 10 }, (_, n) => `0${n}ab-cdef-ghjk-mnpq`);
