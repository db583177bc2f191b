/** S6: what a stranger does counts for the stranger's own address, which no header can change. */
import { hold, type Report } from '../report.ts';
import { Browser, type Reply } from './browser.ts';
import { type Application, begin, createPerson, finish, holdCode, password, register } from './people.ts';
import type { World } from './world.ts';

const stranger = '127.0.0.2';
const neighbour = '127.0.0.3';

/** Each of these has been the caller's address for some proxy. */
const forged = (address: string) => ({
  'x-forwarded-for': address,
  forwarded: `for=${address}`,
  'x-real-ip': address,
  'true-client-ip': address,
  'cf-connecting-ip': address,
  'x-client-ip': address,
});

export async function checkAddresses({ check }: Report, world: World): Promise<void> {
  const { site } = world;
  const application = await register(world);
  const person = createPerson(world, 'neighbour');
  let attempts = 0;

  await check('S6: 100 wrong names by a stranger are too many for the stranger', async () => {
    await Promise.all(Array.from({ length: 4 }, () => guess(new Browser(site, stranger), application, 25)));
    const { status } = await guess(new Browser(site, stranger), application, 1);
    hold(status === 429, `the next attempt is answered with ${status}`);
    return `${attempts} attempts`;
  });

  async function guess(browser: Browser, at: Application, times: number): Promise<Reply> {
    let page = await begin(browser, at);
    for (let time = 0; time < times; time += 1) {
      attempts += 1;
      const answer = await browser.submit(page, { username: `no-such-name-${attempts}`, password });
      hold(
        [422, 429].includes(answer.status),
        `an attempt is answered with ${answer.status} ${answer.text.slice(0, 200)}`,
      );
      page = answer;
    }
    return page;
  }

  await check('S6: they change nothing for another address: signing in', async () => {
    const browser = new Browser(site, neighbour);
    holdCode(await finish(browser, await begin(browser, application), person));
  });

  await check('S6: and signing up', () => signUp(new Browser(site, neighbour), 'newcomer'));

  await check('S6: no header gives the stranger another address', async () => {
    for (const address of [neighbour, '192.0.2.7', '127.0.0.1', `192.0.2.8, ${neighbour}`, '::1']) {
      const { status } = await guess(new Browser(site, stranger, forged(address)), application, 1);
      hold(status === 429, `as ${address} an attempt is answered with ${status}`);
    }
  });

  await check('S6: and what the stranger does in the name of another address does not count there', async () => {
    const liar = () => guess(new Browser(site, '127.0.0.6', forged(neighbour)), application, 25);
    await Promise.all([liar(), liar(), liar(), liar()]);
    const browser = new Browser(site, neighbour, forged(stranger));
    holdCode(await finish(browser, await begin(browser, application), person));
    await signUp(new Browser(site, neighbour), 'another');
  });

  await check('a session knows the address it came from', async () => {
    const sessions = world.cli(['sessions', 'list', person.username, '--json']);
    hold(sessions.includes(`"${neighbour}"`) && !sessions.includes(stranger), sessions);
  });
}

async function signUp(browser: Browser, username: string): Promise<void> {
  const page = await browser.go('/sign-up');
  const done = await browser.submit(page, { username, password });
  hold(done.status === 200 && done.path === '/account', `${done.status} ${done.path} ${done.text.slice(0, 500)}`);
}
