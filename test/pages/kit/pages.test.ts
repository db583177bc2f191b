/** What single pages owe their reader, beyond what render.test.ts asks of all of them. */
import { describe, expect, test } from '@jest/globals';
import { placeOf } from '../../../src/pages/kit/place.ts';
import { accountNotices } from '../../../src/pages/kit/view-parts.ts';
import { states } from '../../../src/pages/states.ts';
import { decoded } from '../../support/qr.ts';
import { page, renderer } from './rendered.ts';

describe('single pages', () => {
  test('a notice of something that came to nothing looks like a problem, on the page that says it', () => {
    const problems = [
      ...['factor-too-many', 'app-gone', 'email-code-off', 'identity-last', 'password-alone'],
      ...['passkey-refused', 'passkey-taken', 'passkey-too-many', 'passkey-name', 'passkey-last'],
    ];
    for (const notice of accountNotices) {
      const said = states.filter(({ locals }) => 'notice' in locals && locals.notice === notice);
      expect([notice, said.length > 0]).toEqual([notice, true]);
      for (const state of said) {
        const look = problems.includes(notice)
          ? '<div class="note bad" role="alert">'
          : '<div class="note good" role="status">';
        expect([state.name, page(state.name).match(/<div class="note (?:bad|good)[^>]*>/g)]).toEqual([
          state.name,
          [look],
        ]);
      }
    }
  });

  test('whoever is signed out with nowhere to go back to can sign in again', () => {
    const signedOut = (stayed: boolean) =>
      renderer.render('signed-out', { stayed, client: { name: 'Bookshelf' } }, { locale: 'en' });
    expect(signedOut(false)).toMatch(/<a class="button block" href="\/account">Sign in<\/a>/);
    expect(signedOut(true)).toMatch(/<a class="button block" href="\/account">Your account<\/a>/);
  });

  test('an address is broken at a colon, if at all', () => {
    for (const name of ['account-sessions', 'account-activity'])
      expect(page(name)).toContain('<bdi dir="ltr">2001:<wbr>db8:<wbr>85a3:');
  });

  test('an address says where it is as far as it does by itself', () => {
    const said = ['127.0.0.1', '::1', '10.1.2.3', '172.31.0.1', '192.168.1.4', 'fd12::1', 'fe80::1'].map(placeOf);
    expect(said).toEqual(['here', 'here', 'private', 'private', 'private', 'private', 'private']);
    for (const elsewhere of ['203.0.113.5', '172.32.0.1', '2001:db8::1', 'localhost', '', undefined])
      expect(placeOf(elsewhere)).toBeUndefined();
    expect(page('account-activity')).toContain('<span><bdi dir="ltr">192.0.2.1</bdi></span>');
    expect(page('account-activity')).toContain('<bdi dir="ltr">192.168.178.20</bdi> (private network)</span>');
    expect(page('account-sessions')).toContain('<bdi dir="ltr">127.0.0.1</bdi> (this server’s machine)</span>');
  });

  test('a page that is only read loads no script', () => {
    for (const name of ['not-found', 'signed-out', 'openapi']) expect(page(name)).not.toContain('<script');
    for (const name of ['login-plain', 'error-detail', 'account', 'account-activity', 'logout'])
      expect(page(name)).toContain('<script src="/public/page.js?');
  });

  test('the QR code of an authenticator app is one that an app can read', async () => {
    const uri = /^otpauth:\/\/totp\/Gatehouse:ada\?secret=[A-Z2-7]{32}&issuer=Gatehouse$/;
    for (const name of ['enrol-app', 'account-app']) expect(await decoded(page(name))).toMatch(uri);
  });
});
