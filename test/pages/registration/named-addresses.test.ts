/** An e-mail address taken as a name, over every API that makes accounts: the person who proves it has it, and its name signs in no one else. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { call, posting } from '../../support/call.ts';
import { fill, linkIn, mailsTo } from '../../support/mail.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const strangers = 'four crows over the barn';
const caller = { via: 'browser', address: '192.0.2.1', requestId: 'r', locale: 'en' };
const basic = (username: string, typed: string) =>
  ['Authorization', `Basic ${Buffer.from(`${username}:${typed}`).toString('base64')}`] as const;

describeStorages('an e-mail address that a stranger took for a name', (storage) => {
  let server: TestServer;
  let token = '';
  beforeAll(async () => {
    const limits = { THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000', MAIL_LIMIT: '100' };
    server = await storage.start({ ...limits, NAMES_WITH_AT: 'surfaces' });
    const { username } = await buildPerson(server);
    const login = await call(server, posting('/security/login', { username, password }));
    token = (JSON.parse(login.text) as { token: string }).token;
  });
  afterAll(() => server.close());

  const register: Record<string, (username: string) => ReturnType<typeof call>> = {
    identity: (username) => call(server, posting('/v1/register', {}, basic(username, strangers))),
    tinyoauth: (username) => call(server, posting('/register', { username, password: strangers })),
    'security-service': (username) =>
      call(server, posting('/security/users', { username, password: strangers }, ['Authorization', `Bearer ${token}`])),
  };
  const signIn: Record<string, (username: string, typed: string) => Promise<boolean>> = {
    identity: async (username, typed) =>
      (await call(server, { path: '/v1/login', headers: [basic(username, typed)] })).status === 200,
    tinyoauth: async (username, typed) =>
      (await call(server, posting('/login', { username, password: typed }))).text.includes('succeeded'),
    'security-service': async (username, typed) =>
      (await call(server, posting('/security/login', { username, password: typed }))).status < 300,
    browser: async (username, typed) =>
      (await server.core.signIn.signIn({ username, password: typed, ...caller })).outcome === 'signed-in',
  };
  const bySubject = (subject: string) => server.core.accounts.findBySubject(subject);
  const linkTo = async (address: string, subject: string): Promise<string> => {
    // Whoever took it for a name gets a letter too, which must not come in between.
    await server.core.mails.settled();
    await server.core.emails.requestChange(subject, address, caller);
    const [mail] = (await mailsTo(server, address)).filter(({ kind }) => kind === 'confirm-email');
    return linkIn(mail ?? { link: undefined });
  };

  let number = 0;
  const fresh = () => {
    number += 1;
    return `victim${number}@example.com`;
  };

  test.each(Object.keys(register))('%s: it works as a name until somebody proves the address', async (surface) => {
    const address = fresh();
    expect((await register[surface]?.(address.toUpperCase()))?.status).toBeLessThan(300);
    for (const [door, works] of Object.entries(signIn))
      expect([door, await works(address, strangers)]).toEqual([door, true]);
    const squatter = await server.core.accounts.findByUsername(address);
    const login = await call(server, posting('/security/login', { username: address, password: strangers }));
    const { token: named } = JSON.parse(login.text) as { token: string };

    const owner = await buildPerson(server);
    await fill(new Agent(server), await linkTo(address, owner.subject), { password });
    expect(await bySubject(owner.subject)).toMatchObject({ email: address, verified: true });
    expect(await bySubject(squatter?.subject ?? '')).toMatchObject({
      username: expect.stringMatching(/^user-[\w-]{12}$/),
      email: null,
      verified: false,
    });
    for (const [door, works] of Object.entries(signIn)) {
      expect([door, await works(address, strangers)]).toEqual([door, false]);
      expect([door, await works(address, password)]).toEqual([door, true]);
    }
    // Its tokens name the address: they end with it.
    expect(await server.core.apiSessions.verify('security-service', named)).toEqual({
      outcome: 'refused',
      reason: 'ended',
    });
    expect(await server.core.sessions.list(squatter?.subject ?? '')).toEqual([]);
    const [event] = await server.core.stores.audit.list(
      { subject: squatter?.subject ?? '', event: 'account.renamed' },
      1,
    );
    expect(event).toMatchObject({ subject: squatter?.subject });
    expect((await register[surface]?.(address))?.status).toBeGreaterThanOrEqual(400);
  });

  test.each(Object.keys(register))(
    '%s: the owner signs up on the page beside it, and has it with the mail',
    async (surface) => {
      const address = fresh();
      await register[surface]?.(address);
      await server.core.mails.settled();
      const username = `owner-${number}-${storage.kind}`;
      await fill(new Agent(server), '/sign-up', { username, email: address, password });
      const [mail] = (await mailsTo(server, address)).filter(({ kind }) => kind === 'confirm-email');
      await fill(new Agent(server), linkIn(mail ?? { link: undefined }), { password });
      expect(await server.core.accounts.findByUsername(username)).toMatchObject({ email: address, verified: true });
      expect(await signIn[surface]?.(address, strangers)).toBe(false);
      expect(await signIn[surface]?.(address, password)).toBe(true);
    },
  );

  test('whoever named it and proves it goes on under it', async () => {
    const address = fresh();
    await register.identity?.(address);
    const { subject = '' } = (await server.core.accounts.findByUsername(address)) ?? {};
    const [mail] = (await mailsTo(server, address)).filter(({ kind }) => kind === 'confirm-email');
    await fill(new Agent(server), linkIn(mail ?? { link: undefined }), { password: strangers });
    expect(await bySubject(subject)).toMatchObject({ username: address, email: address, verified: true });
    const other = await buildPerson(server);
    await fill(new Agent(server), await linkTo(fresh(), other.subject), { password });
    expect(await bySubject(subject)).toMatchObject({ username: address });
  });

  test('of three who prove it at once one has it', async () => {
    const address = fresh();
    await register.tinyoauth?.(address);
    const owners = await Promise.all([1, 2, 3].map(() => buildPerson(server)));
    const links = [];
    for (const { subject } of owners) links.push(await linkTo(address, subject));
    const tokens = links.map((link) => new URL(link).searchParams.get('token') ?? '');
    const outcomes = await Promise.all(tokens.map((each) => server.core.emails.confirm(each, { via: 'cli' })));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['confirmed', 'taken', 'taken']);
    expect(await server.core.accounts.findByUsername(address)).toBeUndefined();
  });

  test('an administrator, whom nobody let in by a form, keeps theirs: else whoever has the mailbox locks them out', async () => {
    const address = fresh();
    const unproved = { username: address, email: address, verified: false, unprovedName: true };
    const admin = await buildPerson(server, { ...unproved, admin: true });
    const owner = await buildPerson(server);
    const answer = await fill(new Agent(server), await linkTo(address, owner.subject), { password });
    expect(answer.status).toBe(409);
    expect(await bySubject(owner.subject)).toMatchObject({ email: owner.email });
    expect(await bySubject(admin.subject)).toMatchObject({ username: address, email: address, verified: false });
    for (const [door, works] of Object.entries(signIn))
      expect([door, await works(address, password)]).toEqual([door, true]);
  });

  test('whoever takes it anew at the very moment it is freed does not keep it from its owner either', async () => {
    const { accounts } = server.core.stores;
    const { releaseEmail } = accounts;
    const named = (address: string) => ({ username: address, email: address, verified: false, unprovedName: true });
    const overtaken = (address: string) => {
      let times = 2;
      accounts.releaseEmail = async (...released) => {
        const answer = await releaseEmail(...released);
        times -= 1;
        if (times >= 0) await buildPerson(server, named(address));
        return answer;
      };
    };
    const [address, invited] = [fresh(), fresh()];
    const owner = await buildPerson(server);
    try {
      const link = await linkTo(address, owner.subject);
      overtaken(address);
      expect((await fill(new Agent(server), link, { password })).status).toBe(200);
      accounts.releaseEmail = releaseEmail;
      await buildPerson(server, named(invited));
      const about = { email: invited, mail: true, locale: 'en' };
      expect(await server.core.invitations.invite(about, { via: 'cli' })).toMatchObject({ outcome: 'mailed' });
      const [mail] = await mailsTo(server, invited);
      overtaken(invited);
      const form = { username: `guest-${invited.replaceAll(/[@.]/g, '-')}`, password };
      await fill(new Agent(server), linkIn(mail ?? { link: undefined }), form);
    } finally {
      accounts.releaseEmail = releaseEmail;
    }
    expect(await bySubject(owner.subject)).toMatchObject({ email: address, verified: true });
    expect(await accounts.byVerifiedEmailKey(invited)).toMatchObject({ email: invited, verified: true });
  });
});
