/** What became of accounts elsewhere: told by mail, and asked about where a password was forgotten. */
import { expect, test } from '@jest/globals';
import { comeBackWith, signInThere } from '../../../login/upstream/world.ts';
import { Agent, csrfOf } from '../../../support/agent.ts';
import { fill, linkIn, mailsTo, mailTo, resetLinkFor, send } from '../../../support/mail.ts';
import { enrolPasskey } from '../../../support/passkey.ts';
import type { buildPerson } from '../../../support/server.ts';
import { describeStorages } from '../../../support/storages.ts';
import { openIdentities, page, pathOf } from './world.ts';

describeStorages('accounts elsewhere that somebody may have left behind', (storage) => {
  const world = openIdentities(storage);
  const { signedIn, elsewhere, half, yes, linked } = world;

  test('both are told by mail, in words that name the provider; a connection that was there is no news', async () => {
    const { person, agent } = await signedIn();
    const there = await elsewhere();
    const to = person.email ?? '';
    const kinds = async () =>
      (await mailsTo(world.server, to)).map(({ kind }) => kind).filter((kind) => kind !== 'new-sign-in');
    const list = await yes(agent, await half(agent, there));
    const linkedMail = await mailTo(world.server, to, 'identity-linked');
    expect(linkIn(linkedMail)).toBe(`${world.server.url}/account/security#identities`);
    for (const word of ['Example Company', person.username]) expect(linkedMail.text).toContain(word);
    expect(linkedMail.text).not.toContain(there.person.username);
    await yes(agent, await half(agent, there));
    expect(await kinds()).toEqual(['identity-linked']);
    const [identity] = await linked(person.subject);
    await agent.go(`${page}/remove`, { form: { csrf: csrfOf(list), identity: identity?.id ?? '' } });
    expect(linkIn(await mailTo(world.server, to, 'identity-unlinked'))).toBe(
      `${world.server.url}/account/security#identities`,
    );
    expect(await kinds()).toEqual(['identity-unlinked', 'identity-linked']);
  });

  async function resetLink({ username, email }: Awaited<ReturnType<typeof buildPerson>>): Promise<string> {
    return (await resetLinkFor(world.server, username, email ?? '')) ?? '';
  }
  const next = 'nine owls in the attic';

  test('after a forgotten password only those sign in that its person says are theirs', async () => {
    const { person, agent } = await signedIn();
    const thief = await elsewhere();
    await yes(agent, await half(agent, thief));
    const form = await new Agent(world.server).go(await resetLink(person));
    for (const name of ['Example Company', thief.person.username]) expect(form.text).toContain(name);
    // Not ticked by itself, nor by a form that was refused.
    const victim = new Agent(world.server);
    const refused = await fill(victim, form.url, { password: 'short' });
    expect([refused.status, /name="keep"[^>]* checked/.test(refused.text)]).toEqual([422, false]);
    expect(await linked(person.subject)).toHaveLength(1);
    await send(victim, refused, { password: next });
    expect(await linked(person.subject)).toEqual([]);

    const again = new Agent(world.server);
    const login = await again.go(page);
    const address = (await again.go(`${pathOf(login.url)}/upstream/company`)).location ?? '';
    await comeBackWith(again, await signInThere(thief.agent, address, thief.person));
    expect((await again.go('/account', { follow: false })).status).toBe(303);
    const trail = await world.server.core.stores.audit.list({ subject: person.subject, event: 'identity.unlinked' }, 5);
    expect(trail).toMatchObject([{ detail: { upstream: 'company', via: 'reset-link' } }]);
    const notice = await mailTo(world.server, person.email ?? '', 'password-changed');
    for (const where of ['/account/security', '/account/security#identities'])
      expect(notice.text).toContain(world.server.url + where);
  });

  test('those that are theirs stay; one that came after the page was opened does not', async () => {
    const { person, agent } = await signedIn();
    await yes(agent, await half(agent, await elsewhere()));
    const owner = new Agent(world.server);
    const form = await owner.go(await resetLink(person));
    await yes(agent, await half(agent, await elsewhere(), 'second'));
    const own = (await linked(person.subject)).find(({ provider }) => provider === 'company');
    expect(await linked(person.subject)).toHaveLength(2);
    const keep = /name="keep" value="([^"]*)"/.exec(form.text)?.[1] ?? '';
    expect(keep).toBe(own?.id);
    const refused = await send(owner, form, { keep, password: 'short' });
    expect(refused.text).toMatch(/name="keep"[^>]* checked/);
    expect((await send(owner, form, { keep, password: next })).status).toBe(200);
    expect((await linked(person.subject)).map(({ id }) => id)).toEqual([own?.id]);
  });

  test('a sign-in with one that is under way while it is disconnected begins no session', async () => {
    const { person, agent } = await signedIn();
    const thief = await elsewhere();
    await yes(agent, await half(agent, thief));
    const token = new URL(await resetLink(person)).searchParams.get('token') ?? '';
    const again = new Agent(world.server);
    const login = await again.go(page);
    const address = (await again.go(`${pathOf(login.url)}/upstream/company`)).location ?? '';
    const back = await signInThere(thief.agent, address, thief.person);
    const { accounts } = world.server.core.stores;
    const { resetPasswordHash } = accounts;
    accounts.resetPasswordHash = async (...change) => {
      await comeBackWith(again, back);
      return resetPasswordHash(...change);
    };
    try {
      expect((await world.server.core.passwordReset.complete(token, next, [], { via: 'cli' })).outcome).toBe('changed');
    } finally {
      accounts.resetPasswordHash = resetPasswordHash;
    }
    expect(await world.server.core.sessions.list(person.subject)).toEqual([]);
  });

  test('one that is connected while the password is set, under the old one, goes too', async () => {
    const { person, agent } = await signedIn();
    const confirm = await half(agent, await elsewhere());
    const token = new URL(await resetLink(person)).searchParams.get('token') ?? '';
    const { accounts } = world.server.core.stores;
    const { resetPasswordHash } = accounts;
    accounts.resetPasswordHash = async (...change) => {
      await yes(agent, confirm);
      expect(await linked(person.subject)).toHaveLength(1);
      return resetPasswordHash(...change);
    };
    try {
      expect((await world.server.core.passwordReset.complete(token, next, [], { via: 'cli' })).outcome).toBe('changed');
    } finally {
      accounts.resetPasswordHash = resetPasswordHash;
    }
    expect(await linked(person.subject)).toEqual([]);
    const trail = await world.server.core.stores.audit.list({ subject: person.subject, event: 'identity.unlinked' }, 5);
    expect(trail).toHaveLength(1);
  });

  test('a form that names no end of them is answered like any other', async () => {
    const { person } = await signedIn();
    const keep = ' '.repeat(60_000);
    expect((await fill(new Agent(world.server), await resetLink(person), { keep, password: next })).status).toBe(200);
  });

  test('a passkey stays: a link in a mail is no way around a second factor', async () => {
    const { person } = await signedIn();
    await enrolPasskey(world.server.core.passkeys, person.subject, { origin: world.server.url });
    await fill(new Agent(world.server), await resetLink(person), { password: next });
    expect(await world.server.core.stores.passkeys.list(person.subject)).toHaveLength(1);
  });
});
