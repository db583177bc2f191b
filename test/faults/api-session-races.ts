/** Everybody at once at the doors of the API surfaces, over two servers on one Postgres (security.md X3, X6, B14). */
import { setTimeout as sleep } from 'node:timers/promises';
import { credentialsOf, doors, identity, signInAt, tinyoauth } from './doors.ts';
import { at, type Nodes, person, statuses, together, twoNodes } from './races.ts';
import { counted, type Means, type Scenario, type Verdict } from './scenario.ts';
import { anotherCode, type Reply, signIn } from './world.ts';

export const apiSessionRaces: readonly Scenario[] = [
  { name: 'one-name', needs: ['postgres'], run: oneName },
  { name: 'logout-and-refresh', needs: ['postgres'], run: logoutAndRefresh },
  { name: 'disable-and-sign-in', needs: ['postgres'], run: disableAndSignIn },
];

/** How long an end may take to reach the other node. */
const everywhereMs = 1000;
const otherSecret = (n: number) => `a password of no one else, ${n}`;

/** The same name, compared as this server does: NFKC, then case folding. */
const spellings: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.replace(/^n/, 'ｎ'),
];

async function oneName(means: Means): Promise<Verdict> {
  const [names, tries] = means.short ? [3, 100] : [100, 100];
  // As many hashes at once as there are requests: none is to be turned away for another reason.
  const { nodes } = await twoNodes(means, {}, { PASSWORD_QUEUE: '1000' });
  const failures: string[] = [];
  let taken = 0;
  for (let i = 0; i < names; i += 1) {
    const attempts = await together(tries, async (n) => {
      const spelling = spellings[n % 3] ?? ((name) => name);
      const who = { username: spelling(`name${i}-of-many`), password: otherSecret(n) };
      const door = n % 4 < 2 ? identity : tinyoauth;
      return { door, who, reply: await door.register(at(nodes, n), who) };
    });
    const made = attempts.filter(({ reply }) => reply.status === 200);
    if (made.length !== 1)
      failures.push(`${made.length} accounts of one name: ${statuses(attempts.map(({ reply }) => reply))}`);
    for (const { door, reply } of attempts.filter((attempt) => !made.includes(attempt))) {
      const told =
        door === identity
          ? reply.status === 400 && reply.body.message === 'user already exist'
          : reply.status === 409 && reply.body.result === 'failed';
      if (told) taken += 1;
      else failures.push(`${door.name}: ${reply.status} ${reply.text}`);
    }
    // The password that made it is the only one that is good, at every door of every node.
    for (const { who } of attempts.slice(0, 12).concat(made)) {
      const good = who === made[0]?.who;
      for (const door of doors) {
        const reply = await door.login(at(nodes, i), who);
        const signedIn = reply.status === 200 && door.tokenIn(reply).length > 20;
        if (signedIn !== good)
          failures.push(`${door.name}: ${good ? 'refused' : 'let in'} ${reply.status} ${reply.text}`);
      }
    }
  }
  return {
    figures: `${names} names × ${tries} registrations at 2 doors of 2 nodes, in 3 spellings: one account each, ${taken} × taken`,
    failures: counted(failures),
  };
}

async function logoutAndRefresh(means: Means): Promise<Verdict> {
  const times = means.short ? 20 : 3000;
  const { world, nodes } = await twoNodes(means);
  const failures: string[] = [];
  let faster = 0;
  await inLots(times, 10, async (i) => {
    const begun = await signInAt(identity, at(nodes, i), credentialsOf(person(world, i)));
    const first = identity.refreshTokenIn(begun);
    const [replies, ended] = await Promise.all([
      together(4, async (n) => {
        await sleep(Math.random() * 8);
        return identity.refresh(at(nodes, n), first);
      }),
      sleep(Math.random() * 8).then(() => identity.logout(at(nodes, i), first)),
    ]);
    if (ended.status !== 200) failures.push(`logout: ${ended.status} ${ended.text}`);
    const won = replies.filter(({ status }) => status === 200);
    faster += won.length;
    for (const reply of replies)
      if (reply.status !== 200 && !(reply.status === 404 && identity.refuses(reply)))
        failures.push(`refresh: ${reply.status} ${reply.text}`);
    failures.push(...(await usable(nodes, [begun, ...won], everywhereMs)));
  });
  return {
    figures: `${times} logouts against 4 refreshes each, ${faster} refreshes were faster, 0 usable tokens wanted`,
    failures: counted(failures),
  };
}

/** So many races at once: most of each is waiting until the other node must know. */
async function inLots(times: number, size: number, race: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < times; from += size)
    await together(Math.min(size, times - from), (index) => race(from + index));
}

/** What of these answers of identity still works, on both nodes: refresh tokens at once, JWTs after `withinMs`. */
async function usable(nodes: Nodes, replies: readonly Reply[], withinMs: number): Promise<string[]> {
  const found: string[] = [];
  for (const [n, reply] of replies.entries()) {
    const again = await identity.refresh(at(nodes, n), identity.refreshTokenIn(reply));
    if (again.status === 200) found.push('a refresh token works afterwards');
  }
  await sleep(withinMs);
  for (const reply of replies) {
    for (const node of nodes)
      if ((await identity.verify(node, identity.tokenIn(reply))).status !== 401) found.push('a JWT holds afterwards');
  }
  return found;
}

async function disableAndSignIn(means: Means): Promise<Verdict> {
  const times = means.short ? 8 : 1000;
  const { world, nodes } = await twoNodes(means, { people: 8 });
  const failures: string[] = [];
  let begun = 0;
  await world.place.within(async ({ core }) => {
    await inLots(times, 4, async (i) => {
      const owner = person(world, i);
      const who = credentialsOf(owner);
      const before = await signInAt(identity, at(nodes, i), who);
      const { agent } = await signIn(nodes[0], owner, world.reader);
      const soon = () => sleep(Math.random() * 15);
      const [logins, refreshes] = await Promise.all([
        together(doors.length * 4, async (n) => {
          const door = doors[n % doors.length] ?? identity;
          await soon();
          return { door, reply: await door.login(at(nodes, n), who) };
        }),
        together(3, async (n) => {
          await soon();
          return identity.refresh(at(nodes, n), identity.refreshTokenIn(before));
        }),
        sleep(Math.random() * 250).then(() => core.accounts.disable(owner.subject)),
      ]);
      for (const { door, reply } of logins)
        if (reply.status !== 200 && !door.refuses(reply)) failures.push(`${door.name}: ${reply.status} ${reply.text}`);
      const won = logins.filter(({ door, reply }) => reply.status === 200 && door.tokenIn(reply).length > 20);
      begun += won.length;
      const ofIdentity = [
        before,
        ...refreshes,
        ...won.filter(({ door }) => door === identity).map(({ reply }) => reply),
      ];
      failures.push(
        ...(await usable(
          nodes,
          ofIdentity.filter(({ status }) => status === 200),
          everywhereMs,
        )),
      );
      for (const { door, reply } of won) {
        for (const node of nodes)
          if ((await door.verify(node, door.tokenIn(reply))).status !== 401)
            failures.push(`${door.name}: a token holds afterwards`);
      }
      for (const door of doors) {
        const late = await door.login(at(nodes, i), who);
        if (late.status === 200 && door.tokenIn(late).length > 20) failures.push(`${door.name}: signs in afterwards`);
      }
      if ((await anotherCode(agent, world.reader)).answer.location?.includes('code='))
        failures.push('the browser is signed in afterwards');
      await core.accounts.enable(owner.subject);
    });
  });
  return {
    figures: `${times} accounts disabled during ${times * 12} sign-ins at ${doors.length} doors of 2 nodes and ${times * 3} refreshes; ${begun} sign-ins were faster, 0 usable tokens wanted`,
    failures: counted(failures),
  };
}
