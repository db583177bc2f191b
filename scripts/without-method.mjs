// Whether a login method can be deleted: its folder of src/login, its line in methods.ts, and the tests about it alone.
//
//   node scripts/without-method.mjs               each of them in turn
//   node scripts/without-method.mjs totp          only without this one
//
// Each time in a copy of the project: types, style, import rules and generated documents must be as right as before, a
// suite about the others must pass, and the server must start and have the addresses of the others only.
import { askServer, checksOf, deleteEach, removeLine, removePaths } from './without.mjs';

const list = 'src/login/methods.ts';

/** The tests that go with it, the suite that must pass without it, and the form by which an account gets it. */
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
      ...['popup', 'upstream'].map((name) => `test/browser/${name}.test.ts`),
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

/** A form without a token is refused where it is taken, and not there where it is not. */
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
