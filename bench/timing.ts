/**
 * npm run timing
 *
 * Measures over HTTP whether response times reveal anything (security.md B6, E1) and whether refusals are cheap (G5,
 * G6). It sends two kinds of requests in alternation, and compares the difference of their medians with the noise
 * within one kind. To prove that the measurement works, it plants a leak that must be found: accounts whose password
 * hash is cheaper than the one for unknown names.
 */
import { createPasswordHasher } from '../src/login/password/password.ts';
import { Agent, csrfOf } from '../test/support/agent.ts';
import { adminKey, buildClient, buildPerson, password, startServer } from '../test/support/server.ts';

const server = await startServer({
  env: {
    LOG_LEVEL: 'fatal',
    PASSWORD_HASH_MEMORY: '19456',
    PASSWORD_HASH_TIME: '2',
    THROTTLE_ACCOUNT_LIMIT: '100',
    THROTTLE_ADDRESS_LIMIT: '100000',
    MAIL_ADDRESS_LIMIT: '100000',
    MAIL_LIMIT: '1000',
  },
});
const client = await buildClient(server, {}, 'register');

async function signInTimer() {
  const agent = new Agent(server);
  const page = await agent.go(`/oauth/authorize?response_type=code&scope=openid&client_id=${client.id}`);
  const form = { csrf: csrfOf(page), password: 'not the password at all' };
  return async (username: string): Promise<number> => {
    const began = performance.now();
    const { status } = await agent.go(new URL(page.url).pathname, { form: { ...form, username } });
    if (status !== 422) throw new Error(`a refused sign-in answered ${status}`);
    return performance.now() - began;
  };
}

/** Submits a form of the pages for signed-out users again and again. `arrives`: part of the expected redirect. */
async function formTimer(path: string, arrives: string) {
  const agent = new Agent(server);
  const csrf = csrfOf(await agent.go(path));
  return async (fields: Record<string, string>): Promise<number> => {
    const began = performance.now();
    const { status, location } = await agent.go(path, { form: { csrf, ...fields }, follow: false });
    if (status !== 303 || !location?.includes(arrives)) throw new Error(`${path} answered ${status}`);
    return performance.now() - began;
  };
}

async function adminTimer(key: string): Promise<number> {
  const began = performance.now();
  const { status } = await fetch(`${server.url}/internal/reload-clients`, {
    method: 'POST',
    headers: { 'x-admin-key': key },
  });
  if (status !== 401) throw new Error(`a wrong key answered ${status}`);
  return performance.now() - began;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** Medians of two kinds of requests in alternation. `noise`: the difference between two halves of the first kind. */
async function compare(pairs: number, one: (n: number) => Promise<number>, other: (n: number) => Promise<number>) {
  const first: number[] = [];
  const second: number[] = [];
  for (let n = 0; n < pairs; n += 1) {
    const turns: [number[], (n: number) => Promise<number>][] = [
      [first, one],
      [second, other],
    ];
    // The second request finds warm caches, so the order changes from pair to pair.
    for (const [times, ask] of n % 2 === 0 ? turns : turns.reverse()) times.push(await ask(n));
  }
  const noise = Math.abs(median(first.filter((_, n) => n % 2 === 0)) - median(first.filter((_, n) => n % 2 === 1)));
  return { difference: median(first) - median(second), noise, median: median(first) };
}

let failed = 0;
function report(name: string, found: Awaited<ReturnType<typeof compare>>, leakExpected: boolean): void {
  const { difference, noise, median: usual } = found;
  // A difference above three times the noise and 5 % of the whole could be exploited.
  const leaks = Math.abs(difference) > Math.max(3 * noise, usual * 0.05);
  if (leaks !== leakExpected) failed += 1;
  const verdict = leaks === leakExpected ? 'PASS' : 'FAIL';
  console.log(
    `${verdict}  ${name.padEnd(44)} median ${usual.toFixed(2)} ms, difference ${difference.toFixed(3)} ms, noise ${noise.toFixed(3)} ms`,
  );
}

const people = await Promise.all(Array.from({ length: 8 }, () => buildPerson(server)));
const disabled = await Promise.all(Array.from({ length: 8 }, () => buildPerson(server)));
for (const { subject } of disabled) await server.core.accounts.disable(subject);
const cheap = await Promise.all(Array.from({ length: 8 }, () => buildPerson(server)));
const cheaper = createPasswordHasher({ memoryKiB: 8192, timeCost: 1, queue: 64 });
for (const { subject } of cheap) {
  await server.core.stores.accounts.update(subject, { passwordHash: await cheaper.hash(password) }, 1);
}
const nameOf = (list: readonly { username: string }[], n: number) => list[n % list.length]?.username ?? '';
const ask = await signInTimer();
const unknown = (n: number) => ask(`unknown-${n}`);
for (let n = 0; n < 20; n += 1) await unknown(n);

report('B6 unknown name / wrong password', await compare(200, unknown, (n) => ask(nameOf(people, n))), false);
report('B6 unknown name / disabled account', await compare(200, unknown, (n) => ask(nameOf(disabled, n))), false);
report('B6 planted leak: a cheaper hash', await compare(200, unknown, (n) => ask(nameOf(cheap, n))), true);

const forgot = await formTimer('/forgot', '/forgot?sent=yes');
const forgotten = (username: string) => forgot({ username });
for (let n = 0; n < 100; n += 1) await forgotten(`unknown-${n}`);
report(
  'B6 forgotten password: unknown / known name',
  await compare(
    1000,
    (n) => forgotten(`unknown-${n}`),
    (n) => forgotten(nameOf(people, n)),
  ),
  false,
);
const signUp = await formTimer('/sign-up', encodeURIComponent('/sign-up?done=mail'));
const newcomer = (kind: string, n: number, email: string) => signUp({ username: `${kind}-${n}`, email, password });
report(
  'B6 sign-up: unknown / known address',
  await compare(
    200,
    (n) => newcomer('new', n, `new-${n}@example.org`),
    (n) => newcomer('known', n, `${nameOf(people, n)}@example.org`),
  ),
  false,
);

const almost = `${adminKey.slice(0, -1)}!`;
const nothing = '#'.repeat(adminKey.length);
report(
  'E1 last character wrong / all wrong',
  await compare(
    2000,
    () => adminTimer(almost),
    () => adminTimer(nothing),
  ),
  false,
);

/** G5 and G6: the limit on a body refuses at once, and a long parameter costs little. */
function judge(name: string, milliseconds: number, limit: number): void {
  if (milliseconds > limit) failed += 1;
  const verdict = milliseconds > limit ? 'FAIL' : 'PASS';
  console.log(`${verdict}  ${name.padEnd(44)} ${milliseconds.toFixed(2)} ms, at most ${limit} ms`);
}

const large = new URLSearchParams({ grant_type: 'client_credentials', scope: 'x'.repeat(100_000) });
const over: number[] = [];
for (let n = 0; n < 50; n += 1) {
  const began = performance.now();
  const { status } = await fetch(`${server.url}/oauth/token`, { method: 'POST', body: large });
  if (status !== 413) throw new Error(`a body over the limit answered ${status}`);
  over.push(performance.now() - began);
}
judge('G5 413 for a body over the limit, slowest of 50', Math.max(...over), 100);

for (const name of ['scope', 'ui_locales', 'claims', 'acr_values', 'login_hint']) {
  const cpu = process.cpuUsage();
  for (let n = 0; n < 50; n += 1) {
    // The longest query that fits into the headers that Node accepts, different each time.
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: client.id,
      [name]: `${n} `.padEnd(12_000, 'a b '),
    });
    const { status } = await fetch(`${server.url}/oauth/authorize?${query}`, { redirect: 'manual' });
    if (status >= 500) throw new Error(`a long ${name} answered ${status}`);
  }
  const { user, system } = process.cpuUsage(cpu);
  judge(`G6 CPU of a request with 12 kB of ${name}`, (user + system) / 1000 / 50, 50);
}

await server.close();
process.exitCode = failed === 0 ? 0 : 1;
