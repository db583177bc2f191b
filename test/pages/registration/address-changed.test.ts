/** What was mailed to an address is good for nothing once the account has another. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { fill, linkIn, mailsTo, mailTo, resetLinkFor } from '../../support/mail.ts';
import { buildPerson, password, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';

const caller = { via: 'browser', address: '192.0.2.1', requestId: 'r', locale: 'en' };
let number = 0;
const freshAddress = () => {
  number += 1;
  return `elsewhere${number}@example.org`;
};

describeStorages('a changed e-mail address', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start({ THROTTLE_ADDRESS_LIMIT: '10000', MAIL_ADDRESS_LIMIT: '10000', MAIL_LIMIT: '100' });
  });
  afterAll(() => server.close());

  const account = (subject: string) => server.core.accounts.findBySubject(subject);
  async function linkFor(subject: string, email: string): Promise<string> {
    expect(await server.core.emails.requestChange(subject, email, caller)).toEqual({ outcome: 'asked' });
    return linkIn(await mailTo(server, email, 'confirm-email'));
  }
  const confirm = (link: string) => fill(new Agent(server), link, { password });
  const codeMailTo = async (address: string) =>
    (await mailsTo(server, address)).find(({ kind }) => kind === 'sign-in-code');

  test('what was mailed to the address that was dies with it, on every node: codes, and links of every kind', async () => {
    const other = await storage.join(server);
    const person = await buildPerson(server);
    const { subject, username } = person;
    const old = person.email ?? '';
    await server.core.factors.switchOn('email-code', subject);
    const signIn = (otp: string | undefined, on = server) =>
      on.core.signIn.signIn({ username, password, otp, address: '192.0.2.9', via: 'identity', requestId: 'r' });
    expect(await signIn(undefined)).toMatchObject({ mailed: { outcome: 'sent' } });
    const code = /\d{4} \d{4}/.exec((await codeMailTo(old))?.text ?? '')?.[0] ?? '';
    const reset = (await resetLinkFor(server, username, old)) ?? '';
    const typo = await linkFor(subject, freshAddress());
    await confirm(await linkFor(subject, freshAddress()));

    const dead = async () => {
      for (const node of [server, other]) {
        expect(await signIn(code, node)).toMatchObject({ outcome: 'second-factor', wrong: 'over' });
        for (const link of [reset, typo]) {
          const { pathname, search } = new URL(link);
          expect([pathname, (await new Agent(node).go(pathname + search)).status]).toEqual([pathname, 410]);
        }
      }
    };
    await dead();
    // They do not come back with the address either: whoever left it had a reason.
    await confirm(await linkFor(subject, old));
    expect(await account(subject)).toMatchObject({ email: old, verified: true });
    await dead();
  });

  test('a code that is sent while the address changes is good for nothing', async () => {
    const person = await buildPerson(server);
    const { subject, username } = person;
    await server.core.factors.switchOn('email-code', subject);
    const link = await linkFor(subject, freshAddress());
    const { factors } = server.core.stores;
    const { putSentCode } = factors;
    // The mail has been addressed, and its code is not stored yet.
    factors.putSentCode = async (...code) => {
      await confirm(link);
      return putSentCode(...code);
    };
    const signIn = (otp?: string) =>
      server.core.signIn.signIn({ username, password, otp, address: '192.0.2.9', via: 'identity', requestId: 'r' });
    try {
      await signIn();
    } finally {
      factors.putSentCode = putSentCode;
    }
    const late = await codeMailTo(person.email ?? '');
    const code = /\d{4} \d{4}/.exec(late?.text ?? '')?.[0];
    expect(code).toBeDefined();
    expect(await signIn(code)).toMatchObject({ outcome: 'second-factor' });
  });

  test('letters about an account are in its person’s language, whoever causes them from wherever', async () => {
    const { subject, username, email } = await buildPerson(server);
    await server.core.accounts.setProfile(subject, { firstName: '', lastName: '', locale: 'de' });
    const old = email ?? '';
    const other = await buildPerson(server);
    await server.core.emails.requestChange(other.subject, old, caller);
    expect(await mailTo(server, old, 'address-known')).toMatchObject({ locale: 'de' });
    await resetLinkFor(server, username, old);
    expect(await mailTo(server, old, 'reset-password')).toMatchObject({ locale: 'de' });
    await confirm(await linkFor(subject, freshAddress()));
    expect(await mailTo(server, old, 'email-changed')).toMatchObject({ locale: 'de' });
  });
});
