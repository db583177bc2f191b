// Whether a kind of code can be deleted: its folder of src/login, its line in methods.ts, and the tests that are about it alone.
//
//   node scripts/without-method.mjs               each of them in turn
//   node scripts/without-method.mjs totp          only without this one
//
// Each time in a copy of the project: types, style, import rules and generated documents must be as right as before, a suite
// about the others must pass, and the server must start and have the addresses of the others only.
import { askServer, checksOf, deleteEach, removeLine, removePaths } from './without.mjs';

/** The suite that must pass without it, and where it is added. */
const methods = {
  totp: { suite: 'test/login/email-code.test.ts', address: '/account/factors/begin' },
  'email-code': { suite: 'test/core/factors/factors.test.ts', address: '/account/factors/email-code' },
};

await deleteEach('login method', Object.keys(methods), async (copy, name) => {
  removePaths(copy, [`src/login/${name}`, `test/login/${name}.test.ts`]);
  removeLine(copy, 'src/login/methods.ts', name, (method) => new RegExp(`^  ${method},\\n`, 'm'));
  const checks = await checksOf(copy, methods[name].suite);
  return [...checks, ...(await askServer(copy, (url) => addresses(url, name)))];
});

/** A form without a token is refused where it is taken, and not there where it is not. */
async function addresses(url, removed) {
  const failures = [];
  for (const [name, { address }] of Object.entries(methods)) {
    const { status } = await fetch(url + address, { method: 'POST', body: new URLSearchParams(), redirect: 'manual' });
    if (status !== (name === removed ? 404 : 403)) failures.push(`POST ${address} answers ${status}`);
  }
  const { status } = await fetch(`${url}/account`, { redirect: 'manual' });
  if (status !== 303) failures.push(`GET /account answers ${status}`);
  return failures;
}
