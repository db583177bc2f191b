/** Two nodes are one server: what begins at one goes on at the other, and one may leave under traffic. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../support/redis-server.ts';
import { hold, type Report } from '../report.ts';
import { Browser } from './browser.ts';
import { type Application, begin, createPerson, finish, holdCode, machineToken, register } from './people.ts';
import type { World } from './world.ts';

export async function checkNodes({ check }: Report, world: World): Promise<void> {
  const { site, nodes } = world;
  let application: Application | undefined;

  await check('an application registered at one node works at the other within a second', async () => {
    const made = await register(world);
    application = made;
    const asked = machineToken(made);
    let last = '';
    await eventually(
      'the other node knows it',
      async () => {
        const body = new URLSearchParams(asked.form);
        const answer = await fetch(`http://127.0.0.1:${nodes[1].port}/oauth/token`, {
          method: 'POST',
          headers: asked.headers,
          body,
        });
        last = await answer.text();
        return answer.status === 200;
      },
      1000,
    ).catch((error) => hold(false, `${error}: ${last}`));
  });
  const known = application;
  if (known === undefined) return;

  await check('a sign-in begun at one node ends at the other', async () => {
    const person = createPerson(world, 'traveller');
    const browser = new Browser(site, '127.0.0.4');
    const before = world.log().length;
    holdCode(await finish(browser, await begin(browser, known), person));
    const rows = world.log().slice(before);
    const served = rows.map(({ node, request }) => `${request} at ${node}`);
    const login = rows.find(({ request }) => request.startsWith('POST'))?.node;
    const page = rows.findLast(
      ({ request }, at) => request.startsWith('GET') && at < rows.findIndex((row) => row.request.startsWith('POST')),
    )?.node;
    hold(login !== undefined && page !== undefined && login !== page, `all at one node:\n${served.join('\n')}`);
    return `${served.length} requests, ${new Set(rows.map(({ node }) => node)).size} nodes`;
  });

  await check('the link of the command line opens the page for the first administrator, at either node', async () => {
    const link = /https:\/\/\S+\/setup\?token=\S+/.exec(world.cli(['setup', 'link']))?.[0];
    hold(link?.startsWith(`${site.issuer}/`) === true, `the link is ${link}`);
    const { pathname, search } = new URL(link);
    const browser = new Browser(site, '127.0.0.4');
    const pages = [await browser.go(pathname + search), await browser.go(pathname + search)];
    hold(
      pages.every(({ status, text }) => status === 200 && text.includes('name="password"')),
      `${pages.map(({ status }) => status)}`,
    );
  });

  await check('a node that is told to stop ends with 0, and no request through nginx fails', async () => {
    const traffic = startTraffic(world, known);
    await sleep(500);
    const how = await nodes[1].daemon.stop('SIGTERM');
    await sleep(1000);
    const { answered, failures } = await traffic.stop();
    hold(how === 0, `it ended with ${how}: ${nodes[1].daemon.printed().slice(-500)}`);
    hold(failures.length === 0, `${failures.length} of ${answered} failed: ${failures.slice(0, 3).join('; ')}`);
    const served = new Set(world.log().flatMap(({ node }) => (node === '' ? [] : [node])));
    hold(served.size === 2, `only ${[...served]} served`);
    return `${answered} requests`;
  });

  await check('started again, it is given requests again', async () => {
    await world.startNode(nodes[1].name);
    const before = world.log().length;
    const browser = new Browser(site, '127.0.0.4');
    await eventually('nginx asks it', async () => {
      await browser.go('/healthz');
      return world
        .log()
        .slice(before)
        .some(({ node, status }) => node === nodes[1].name && status === 200);
    });
  });
}

/** People who read and applications that ask for tokens, through the proxy. */
function startTraffic({ site }: World, application: Application) {
  const failures: string[] = [];
  let answered = 0;
  let over = false;
  const loop = async (work: (browser: Browser) => Promise<{ readonly status: number; readonly text: string }>) => {
    const browser = new Browser(site, '127.0.0.5');
    while (!over) {
      const { status, text } = await work(browser).catch((error) => ({ status: 0, text: String(error) }));
      answered += 1;
      if (status !== 200) failures.push(`${status} ${text.slice(0, 200)}`);
    }
  };
  const loops = [
    loop((browser) => browser.go('/.well-known/openid-configuration')),
    loop((browser) => begin(browser, application)),
    loop((browser) => browser.go('/oauth/token', machineToken(application))),
  ];
  return {
    async stop() {
      over = true;
      await Promise.all(loops);
      return { answered, failures };
    },
  };
}
