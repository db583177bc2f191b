/**
 * Keeps what is good at this moment: codes are used up, sessions signed out, pages finished by what is thrown at them.
 */
import type { App } from '../../src/app.ts';
import { nowSeconds } from '../../src/base/clock.ts';
import { digest, randomToken } from '../../src/base/secrets.ts';
import { anotherCode, machineToken, redeem, request, signIn, type World } from '../faults/world.ts';
import { type Agent, type Answer, Agent as Browser, csrfOf } from '../support/agent.ts';
import { childAdminKey } from '../support/child-server.ts';
import { begin, deviceClient } from '../support/device.ts';
import { type GoodCall, goodCalls } from '../support/good-calls.ts';
import { buildClient, password } from '../support/server.ts';
import type { Good, Page } from './targets.ts';

export interface Cast {
  readonly world: World;
  readonly client: { readonly id: string; readonly secret: string };
  readonly file: string;
  /** Of a client, to open a program's session with. */
  readonly clientToken: string;
  /** Whose rows of good calls are needed. */
  readonly calls: Calls;
}

export async function makeGood(
  app: App,
  { world, client, file, clientToken, calls }: Cast,
  server: { readonly url: string },
): Promise<Good> {
  const [person, other, careful] = world.people;
  if (!person || !other || !careful) throw new Error('people are missing');
  const first = await signIn(server, person, world.reader);
  const tokens = await redeem(server, world.reader, first.grant);
  const user = await jwtOf(server, other, world.reader);
  const code = (await anotherCode(first.agent, world.reader)).grant();
  const logout = await first.agent.go('/oauth/logout');
  const login = await openPage(new Browser(server), world.reader);
  const consent = await openPage(first.agent, client.id);
  await tidy(app, [world.reader, world.machine.id, client.id, ...world.spare, 'playground', 'gatehouse-account']);
  await calls.renew(app, server);
  const device = await buildClient({ app }, deviceClient);
  const begun = await begin(server, device, { scope: 'openid' });
  const setup = await app.core.setup.createSetupLink();
  const { member, links } = await makeMember(app, server);
  return {
    issuer: world.place.url,
    adminKey: childAdminKey,
    client,
    machine: world.machine,
    reader: world.reader,
    code,
    refresh: String(tokens.body.refresh_token),
    access: String(tokens.body.access_token),
    idToken: String(tokens.body.id_token),
    device: { client: device.id, deviceCode: begun.device_code, userCode: begun.user_code },
    jwt: user,
    username: other.username,
    session: cookiesOf(first.agent, '/oauth/logout'),
    sessionValue: first.agent.cookie('gatehouse') ?? '',
    sessionSignature: first.agent.cookie('gatehouse.sig') ?? '',
    xsrf: /name="xsrf" value="([^"]+)"/.exec(logout.text)?.[1] ?? '',
    login,
    consent,
    member,
    links,
    setupToken: setup?.token ?? '',
    file,
    gateway: {
      ...(await gatewayTokens(app, other.username, clientToken)),
      application: String((await machineToken(server, world)).body.access_token),
    },
    careful: careful.username,
    calls: calls.kept,
  };
}

/** Another one each time: what is thrown at a person's own pages may change whatever they have. */
async function makeMember({ core }: App, server: { readonly url: string }) {
  const username = `member-${randomToken(9).toLowerCase()}x`;
  const email = `${username}@example.org`;
  const made = await core.accounts.create({ username, password, firstName: '', lastName: '', email, verified: true });
  if (made.outcome !== 'created') throw new Error(`no member: ${made.outcome}`);
  const agent = new Browser(server);
  const back = await agent.submit(await agent.go('/account/password'), { username, password });
  const page = await agent.go(back.location ?? '');
  const [reset, pass, invited] = await Promise.all([
    core.passwordReset.makeLink(made.account, { via: 'cli' }),
    core.passes.make(made.account, 'reset-link'),
    core.invitations.invite({ email: undefined, mail: false, locale: 'en' }, { via: 'cli' }),
  ]);
  const token = randomToken();
  await core.stores.links.insert({
    key: digest(token),
    purpose: 'confirm-email',
    subject: made.account.subject,
    detail: { email: `new-${email}`, before: made.account.emailKey },
    expiresAt: nowSeconds() + 3600,
  });
  const tokenIn = (path: string) => new URL(path, server.url).searchParams.get('token') ?? '';
  return {
    member: { username, cookies: cookiesOf(agent, '/account'), csrf: csrfOf(page) },
    links: {
      reset: tokenIn(reset.path),
      resetCsrf: csrfOf(await agent.go(reset.path)),
      pass,
      email: token,
      invitation: invited.outcome === 'made' ? tokenIn(invited.path) : '',
    },
  };
}

async function gatewayTokens({ core }: App, username: string, clientToken: string) {
  const caller = { via: 'space-guard', address: '127.0.0.1', requestId: 'hostile' };
  const person = await core.apiSessions.login('tinyoauth', { username, password, ...caller, via: 'tinyoauth' });
  const program = await core.clientSessions.begin(clientToken, caller);
  if (person.outcome !== 'signed-in' || program.outcome !== 'begun')
    throw new Error(`no tokens: ${person.outcome}, ${program.outcome}`);
  return { person: person.token.token, program: `${clientToken}:${program.access.token}` };
}

export interface Calls {
  readonly kept: ReadonlyMap<string, GoodCall>;
  /** These are needed from now on. */
  need(rows: readonly string[]): void;
  /** A third of them is made anew: each is soon used up, and making one takes several requests. */
  renew(app: App, server: { readonly url: string }): Promise<void>;
}

export function keepCalls(): Calls {
  const kept = new Map<string, GoodCall>();
  let needed: readonly string[] = [];
  let turn = 0;
  return {
    kept,
    need: (rows) => {
      needed = rows;
    },
    async renew(app, { url }) {
      const all = goodCalls({ url, app, core: app.core });
      turn += 1;
      await Promise.all(
        needed.map(async (row, index) => {
          const make = all[row];
          if (make && (!kept.has(row) || (index + turn) % 3 === 0)) kept.set(row, await make());
        }),
      );
    },
  };
}

async function jwtOf(server: { readonly url: string }, person: { username: string }, client: string): Promise<string> {
  const agent = new Browser(server);
  const { verifier, parameters } = request(client, { scope: 'user' });
  const answer = await agent.authorize(person, parameters);
  const code = new URL(answer.location ?? '').searchParams.get('code') ?? '';
  return String((await redeem(server, client, { code, code_verifier: verifier })).body.access_token);
}

async function openPage(agent: Agent, client: string): Promise<Page> {
  const { parameters } = request(client);
  const page: Answer = await agent.go(
    `/oauth/authorize?${new URLSearchParams({ response_type: 'code', ...parameters })}`,
  );
  const uid = /\/interaction\/([^/?]+)/.exec(page.url)?.[1];
  if (uid === undefined) throw new Error(`no page but ${page.status} ${page.url}`);
  return { uid, cookies: cookiesOf(agent, `/interaction/${uid}`), csrf: csrfOf(page) };
}

function cookiesOf(agent: Agent, path: string): string {
  return [...agent.cookies.values()]
    .filter((cookie) => cookie.path === '/' || cookie.path === path || path.startsWith(`${cookie.path}/`))
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ');
}

/**
 * What was registered or made an admin on the way goes again after a while: a run is as quick at its end as at its
 * beginning.
 */
async function tidy({ core, clients }: App, keep: readonly string[]): Promise<void> {
  const before = nowSeconds() - 60;
  for (const { id, createdAt } of await clients.list('', 1000))
    if (createdAt < before && !keep.includes(id)) await clients.remove(id);
  for (const { subject, admin } of await core.stores.accounts.list(0, 1000)) {
    if (!admin) continue;
    // The set-up link works while there is no admin, and the last one cannot be deleted.
    await core.stores.accounts.update(subject, { admin: false }, nowSeconds());
    await core.stores.accounts.delete(subject);
  }
}
