/** Accounts at other providers on a person's own pages: connected after a fresh sign-in and a yes, listed, disconnected. */
import { expect, test } from '@jest/globals';
import { comeBackWith, isLogin, signInThere, unusual } from '../../../login/upstream/world.ts';
import { Agent, type Answer, csrfOf } from '../../../support/agent.ts';
import { travel } from '../../../support/flow.ts';
import { enrolPasskey } from '../../../support/passkey.ts';
import { password } from '../../../support/server.ts';
import { describeStorages } from '../../../support/storages.ts';
import { withBoth } from '../visitor.ts';
import { openIdentities, page, pathOf } from './world.ts';

const security = '/account/security';

describeStorages('accounts elsewhere, on the account pages', (storage) => {
  const world = openIdentities(storage);
  const { signedIn, land, elsewhere, half, yes, linked } = world;

  test('connected with a yes on a page that names both, listed, used, and disconnected', async () => {
    const { person, agent } = await signedIn();
    const there = await elsewhere();
    const confirm = await half(agent, there);
    expect([confirm.status, pathOf(confirm.url)]).toEqual([200, `${page}/confirm`]);
    for (const name of [there.person.username, person.username, 'Example Company'])
      expect(confirm.text).toContain(name);
    expect(await linked(person.subject)).toEqual([]);
    const list = await yes(agent, confirm);
    expect(list.text).toContain('It is connected');
    expect(list.text).toContain(there.person.username);
    // It is offered no more, the other one is.
    expect(list.text).not.toContain(`${page}/connect/company`);
    expect(list.text).toContain(`${page}/connect/second`);

    const other = new Agent(world.server);
    const login = await other.go(page);
    const address = (await other.go(`${pathOf(login.url)}/upstream/company`)).location ?? '';
    const back = await comeBackWith(other, await signInThere(there.agent, address, there.person));
    expect((await land(other, back)).text).toContain(there.person.username);

    const [identity] = await linked(person.subject);
    const asked = await agent.go(`${page}/remove?identity=${identity?.id}`);
    for (const text of ['Disconnect <bdi>Example Company</bdi>?', 'Your account there stays as it is'])
      expect(asked.text).toContain(text);
    const gone = await agent.go(`${page}/remove`, { form: { csrf: csrfOf(list), identity: identity?.id ?? '' } });
    expect(gone.text).toContain('It is disconnected');
    expect(await linked(person.subject)).toEqual([]);
    const trail = await world.server.core.stores.audit.list({ subject: person.subject }, 20);
    expect(trail.map(({ event }) => event)).toEqual(expect.arrayContaining(['identity.linked', 'identity.unlinked']));
  });

  test('connecting and disconnecting take a sign-in of the last minutes', async () => {
    const { person, agent } = await signedIn();
    const form = { csrf: csrfOf(await agent.go('/account/profile')), identity: 'x' };
    travel(400);
    for (const answer of [await agent.go(`${page}/connect/company`), await agent.go(`${page}/remove`, { form })]) {
      expect(isLogin(answer)).toBe(true);
    }
    expect(await linked(person.subject)).toEqual([]);
    const nobody = new Agent(world.server);
    for (const path of ['', '/connect/company', '/callback/company?state=x&code=y', '/confirm']) {
      expect(isLogin(await nobody.go(page + path))).toBe(true);
    }
  });

  test('somebody else’s answer is not taken: another person’s, another browser’s, another site’s beginning', async () => {
    const [victim, attacker] = [await signedIn(), await signedIn()];
    const there = await elsewhere();
    const begun = await attacker.agent.go(`${page}/connect/company`);
    const back = await signInThere(there.agent, begun.location ?? '', there.person);
    const forced = await comeBackWith(victim.agent, back);
    expect([pathOf(forced.url), forced.text.includes('role="alert"')]).toEqual([security, true]);
    expect((await victim.agent.go(`${page}/confirm`)).text).not.toContain(there.person.username);
    expect(await linked(victim.person.subject)).toEqual([]);
    const crossSite = await attacker.agent.go(`${page}/connect/company`, {
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect([pathOf(crossSite.url), crossSite.location]).toEqual([security, undefined]);
  });

  test('no step can be skipped, and none be sent by another site', async () => {
    const { person, agent } = await signedIn();
    await yes(agent, await agent.go('/account/profile'));
    expect(await linked(person.subject)).toEqual([]);
    expect(pathOf((await agent.go(`${page}/confirm`)).url)).toBe(security);
    const confirm = await half(agent, await elsewhere());
    expect((await agent.go(`${page}/connect`, { form: {} })).status).toBe(403);
    expect((await agent.go(`${page}/connect/nobody`)).status).toBe(404);
    travel(601);
    await yes(agent, confirm);
    expect(await linked(person.subject)).toEqual([]);
  });

  test('one account elsewhere opens one account here', async () => {
    const there = await elsewhere();
    const [first, second] = [await signedIn(), await signedIn()];
    await yes(first.agent, await half(first.agent, there));
    const confirm = await half(second.agent, there);
    const refused = await yes(second.agent, confirm);
    expect(refused.text).toContain('is connected to another account here');
    expect(await linked(second.person.subject)).toEqual([]);
    const [identity] = await linked(first.person.subject);
    const foreign = await second.agent.go(`${page}/remove`, {
      form: { csrf: csrfOf(confirm), identity: identity?.id ?? '' },
    });
    expect(foreign.status).toBe(404);
    expect((await second.agent.go(`${page}/remove?identity=${identity?.id}`)).status).toBe(404);
    expect(await linked(first.person.subject)).toHaveLength(1);
  });

  test('a yes that is pressed five times at once connects once, and is on record once', async () => {
    const { person, agent } = await signedIn();
    const confirm = await half(agent, await elsewhere());
    const answers = await Promise.all(Array.from({ length: 5 }, () => yes(agent, confirm)));
    for (const answer of answers) expect(answer.url).toBe(`${world.server.url}${security}`);
    expect(await linked(person.subject)).toHaveLength(1);
    const events = await world.server.core.stores.audit.list({ subject: person.subject }, 100);
    expect(events.filter(({ event }) => event === 'identity.linked')).toHaveLength(1);
  });

  test('without a password the last of passkeys and connected accounts stays, whichever it is', async () => {
    const { person, agent } = await signedIn();
    const list = await yes(agent, await half(agent, await elsewhere()));
    const [identity] = await linked(person.subject);
    const passkey = await enrolPasskey(world.server.core.passkeys, person.subject, { origin: world.server.url });
    await world.server.core.stores.accounts.update(person.subject, { passwordHash: null }, 1);
    const send = (path: string, fields: Record<string, string>): Promise<Answer> =>
      agent.go(path, { form: { csrf: csrfOf(list), ...fields } });
    await withBoth(world.server, person);
    const needed = 'You need it to sign in, so it cannot be removed';
    const keys = '/account/passkeys';

    expect((await agent.go(keys)).text).not.toContain(needed);
    expect((await send(`${keys}/remove`, { passkey: passkey.id })).text).toContain('It is removed');
    const last = await send(`${page}/remove`, { identity: identity?.id ?? '' });
    expect(last.text).toContain('You need it to sign in');

    const other = await enrolPasskey(world.server.core.passkeys, person.subject, { origin: world.server.url });
    expect((await send(`${page}/remove`, { identity: identity?.id ?? '' })).text).toContain('It is disconnected');
    for (const at of [keys, '/account/factors']) expect((await agent.go(at)).text).toContain(needed);
    expect((await send(`${keys}/remove`, { passkey: other.id })).text).toContain('it was not removed');
    expect((await send('/account/factors/remove', { factor: other.id })).status).toBe(404);
    expect(await world.server.core.passkeys.list(person.subject)).toHaveLength(1);
  });

  test('the last way in stays until there is a password', async () => {
    const there = await elsewhere();
    const agent = new Agent(world.server);
    const login = await agent.go(page);
    const action = pathOf(login.url);
    const address = (await agent.go(`${action}/upstream/company`)).location ?? '';
    const asked = await comeBackWith(agent, await signInThere(there.agent, address, there.person));
    const username = unusual();
    await land(agent, await agent.go(action, { form: { csrf: csrfOf(asked), upstream: 'create', username } }));
    const list = await agent.go(page);
    expect(list.text).toContain(there.person.username);
    const { subject = '' } = (await world.server.core.accounts.findByUsername(username)) ?? {};
    const [identity] = await linked(subject);
    const form = { csrf: csrfOf(list), identity: identity?.id ?? '' };
    expect((await agent.go(`${page}/remove`, { form })).text).toContain('You need it to sign in');
    expect(await linked(subject)).toHaveLength(1);
    const set = await agent.go('/account/password', { form: { csrf: csrfOf(list), password } });
    expect(set.text).toContain('Your password is set');
    expect((await agent.go(`${page}/remove`, { form })).text).toContain('It is disconnected');
    expect(await linked(subject)).toEqual([]);
  });
});
