// Checks that each login method can be deleted: its folder of src/login, its line in methods.ts, and its tests.
//
//   node scripts/without-method.mjs               each method in turn
//   node scripts/without-method.mjs totp          only this method
//
// Each run uses a copy of the project. Types, style, import rules and generated documents must still pass, a suite of
// another method must pass, and the server must serve exactly the addresses of the other methods.
import { askServer, checksOf, deleteEach, removeLine, removePaths } from './without.mjs';

const list = 'src/login/methods.ts';

/** `tests` go with the method; `suite` must pass without it; `form` is the address that adds it to an account. */
const methods = {
  totp: {
    tests: ['test/login/totp.test.ts'],
    suite: 'test/login/email-code.test.ts',
    form: '/account/factors/begin',
  },
  'email-code': {
    tests: ['test/login/email-code.test.ts'],
    suite: 'test/core/factors/factors.test.ts',
    form: '/account/factors/email-code',
  },
  passkey: {
    tests: ['test/login/passkey.test.ts'],
    suite: 'test/core/factors/factors.test.ts',
    form: '/account/passkeys/add',
  },
  upstream: {
    tests: [
      'test/login/upstream',
      'test/browser/popup.test.ts',
      'test/browser/upstream.test.ts',
      'test/pages/account/identities',
    ],
    suite: 'test/core/factors/passkeys.test.ts',
    form: undefined,
  },
};

await deleteEach('login method', Object.keys(methods), async (copy, name) => {
  const { tests, suite } = methods[name];
  removePaths(copy, [`src/login/${name}`, ...tests]);
  removeLine(copy, list, name, (method) => new RegExp(`^  (\\w+: )?${method},\\n`, 'm'));
  const checks = await checksOf(copy, list, suite);
  return [...checks, ...(await askServer(copy, (url) => addresses(url, name)))];
});

/** A form without a CSRF token is refused (403) where the address exists, and not found (404) otherwise. */
async function addresses(url, removed) {
  const failures = [];
  for (const [name, { form }] of Object.entries(methods)) {
    if (form === undefined) continue;
    const { status } = await fetch(url + form, { method: 'POST', body: new URLSearchParams(), redirect: 'manual' });
    if (status !== (name === removed ? 404 : 403)) failures.push(`POST ${form} answers ${status}`);
  }
  const { status } = await fetch(`${url}/account`, { redirect: 'manual' });
  if (status !== 303) failures.push(`GET /account answers ${status}`);
  return failures;
}
