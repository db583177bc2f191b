/** Passkeys and codes by e-mail on a person's own pages: whose they are, what needs a fresh sign-in, what is shown once (security.md B12). */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type Agent, type Answer, csrfOf } from '../../support/agent.ts';
import { comeBack, travel } from '../../support/flow.ts';
import { enrolPasskey, type Lies, makePasskey } from '../../support/passkey.ts';
import { buildPerson, startServer, type TestServer } from '../../support/server.ts';
import { open, send, visit, withBoth, words } from './visitor.ts';

const here = '/account/passkeys';
const security = '/account/security';

describe('passkeys on the account pages', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterEach(comeBack);
  afterAll(() => server.close());

  const optionsOn = ({ text }: Pick<Answer, 'text'>): string =>
    (/data-new-passkey="([^"]+)"/.exec(text)?.[1] ?? '').replaceAll('&#34;', '"').replaceAll('&amp;', '&');

  function add(agent: Agent, page: Answer, name = 'laptop', lies: Lies = {}): Promise<Answer> {
    const { credential } = makePasskey(optionsOn(page), { origin: server.url }, lies);
    return send(agent, page, `${here}/add`, { credential, name });
  }
  const list = (subject: string) => server.core.passkeys.list(subject);

  const codesPage = '/account/factors/codes';
  const codesOn = ({ text }: Pick<Answer, 'text'>) => [...text.matchAll(/<li><code>([0-9a-z-]+)</g)].map(([, c]) => c);

  test('added: the list with its name, a call to save the recovery codes, the codes once; on record', async () => {
    const { agent, person, page } = await visit(server, security);
    expect(page.text).toContain('data-new-passkey');
    const added = await add(agent, page);
    expect(added.url).toBe(server.url + security);
    expect(words(added)).toMatch(/Your passkey is ready.*Save your recovery codes\..*Show the codes/);
    expect(added.text).toContain('class="button compact" href="/account/factors/codes"');
    expect(codesOn(await agent.go(codesPage))).toHaveLength(10);
    expect(codesOn(await agent.go(codesPage))).toEqual([]);
    const again = await agent.go(here);
    expect(words(again)).toMatch(/laptop This device only Added now Not used yet/);
    const second = await add(agent, again, 'phone');
    expect(second.url).toBe(server.url + security);
    expect(words(second)).toContain('Your passkey is ready');
    expect((await list(person.subject)).map(({ name }) => name).sort()).toEqual(['laptop', 'phone']);
    const [record] = await server.core.stores.audit.list({ event: 'factor.added', subject: person.subject }, 1);
    expect(record?.detail).toMatchObject({ kind: 'passkey', via: 'account' });
  });

  test('the codes of the first passkey wait for 15 minutes, whatever is opened, renamed or typed before', async () => {
    const { agent, person, page } = await visit(server, security);
    const added = await add(agent, page);
    const passkey = /name="passkey" value="([^"]+)"/.exec(added.text)?.[1] ?? '';
    const renamed = await send(agent, added, `${here}/rename`, { passkey, name: 'kitchen' });
    expect(words(renamed)).toMatch(/The passkey is renamed.*Save your recovery codes\./);
    for (const path of ['/account', '/account/profile', '/account/email', '/account/sessions', here]) {
      const opened = await agent.go(path);
      expect([opened.status, codesOn(opened)]).toEqual([200, []]);
    }
    const again = await agent.go(security);
    // A message is shown once.
    expect(words(again)).not.toMatch(/Your passkey is ready|is renamed/);
    const codes = codesOn(await agent.go(codesPage));
    expect(codes).toHaveLength(10);
    expect(await server.core.factors.areCurrent(person.subject, codes.map(String))).toBe(true);
    const form = { recovery_code: String(codes[3]), codes: codes.join(' ') };
    expect(words(await send(agent, again, `${codesPage}/saved`, form))).toContain('Your recovery codes are saved');
    expect(words(await agent.go(security))).not.toContain('recovery codes may not');
  });

  test('after 15 minutes the page offers new codes; a visit in between does not prolong it', async () => {
    const { agent, person, page } = await visit(server, security);
    await add(agent, page);
    travel(600);
    expect(words(await agent.go(security))).toContain('Save your recovery codes.');
    travel(301);
    const late = await agent.go(security);
    expect(words(late)).toMatch(/Your recovery codes may not be saved.*Confirm them, or create new ones/);
    const { recoveryCodesLeft, recoveryCodesSaved } = await server.core.factors.list(person.subject);
    expect([recoveryCodesLeft, recoveryCodesSaved]).toEqual([10, false]);
  });

  test('codes that were replaced elsewhere are not shown any more', async () => {
    const { agent, person, page } = await visit(server, security);
    await add(agent, page);
    await server.core.factors.regenerateRecoveryCodes(person.subject);
    const later = await agent.go(codesPage);
    expect([codesOn(later), words(later)]).toEqual([[], expect.stringContaining('Did you save your recovery codes?')]);
  });

  test('adding needs a fresh sign-in, and what was begun there ends after five minutes', async () => {
    const { agent, person, page } = await visit(server, security);
    travel(301);
    expect((await agent.go(here)).url).toContain('/interaction/');
    // The list is there, without a challenge: the button is a link that leads through the sign-in.
    const stale = await agent.go(security);
    expect([stale.url, stale.text.includes('data-new-passkey')]).toEqual([server.url + security, false]);
    expect(stale.text).toMatch(/<a class="button" href="\/account\/passkeys">/);
    expect(new URL((await open(agent, person, here)).url).pathname).toBe(security);
    expect((await agent.go(security)).text).toContain('data-new-passkey');
    travel(602);
    const late = await add(agent, page);
    expect(words(late)).not.toContain('Your passkey is ready');
    expect(await list(person.subject)).toEqual([]);
  });

  test('named by the browser that made it, or not at all if another device did; the name is asked afterwards', async () => {
    const { agent, person, page } = await visit(server, security);
    const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36';
    const make = async (from: Answer, attachment: string) => {
      const { credential } = makePasskey(optionsOn(from), { origin: server.url });
      const named = JSON.stringify({ ...JSON.parse(credential), authenticatorAttachment: attachment });
      const form = { csrf: csrfOf(from), credential: named };
      return agent.go(`${here}/add`, { form, headers: { 'user-agent': chrome } });
    };
    await make(page, 'platform');
    const second = await make(await agent.go(security), 'cross-platform');
    expect((await list(person.subject)).map(({ name }) => name).sort()).toEqual(['', 'Windows · Chrome']);
    expect(second.text).toMatch(
      /action="\/account\/passkeys\/rename".*<input id="name"[^>]* value="Passkey" autofocus>/s,
    );
  });

  test("a challenge of one browser or person is none of another's", async () => {
    const one = await visit(server, security);
    const sameElsewhere = await visit(server, security, one.person);
    const other = await visit(server, security);
    for (const { agent, page } of [sameElsewhere, other]) {
      const { credential } = makePasskey(optionsOn(one.page), { origin: server.url });
      const answer = await send(agent, page, `${here}/add`, { credential, name: '' });
      expect(words(answer)).toContain('Nothing was added');
    }
    expect([await list(one.person.subject), await list(other.person.subject)]).toEqual([[], []]);
    const nonsense = await send(one.agent, one.page, `${here}/add`, { credential: '{"id":1}' });
    expect(words(nonsense)).toContain('Nothing was added');
    const evil = await add(one.agent, nonsense, '', { origin: 'https://evil.example' });
    expect(words(evil)).toContain('Nothing was added');
    const longName = await add(one.agent, evil, 'x'.repeat(61));
    expect(words(longName)).toContain('That name is too long');
  });

  test("nobody renames or removes another's: 404, and nothing has changed (B12)", async () => {
    const victim = await buildPerson(server);
    const theirs = await enrolPasskey(server.core.passkeys, victim.subject, { origin: server.url, name: 'theirs' });
    const { agent, page } = await visit(server, security);
    for (const passkey of [theirs.id, theirs.credentialId, '', 'a\0b', "' or 1=1 --"]) {
      expect((await send(agent, page, `${here}/rename`, { passkey, name: 'mine' })).status).toBe(404);
      expect((await send(agent, page, `${here}/remove`, { passkey })).status).toBe(404);
      expect((await send(agent, page, '/account/factors/remove', { factor: passkey })).status).toBe(404);
      for (const action of ['rename', 'remove'])
        expect((await agent.go(`${here}/${action}?passkey=${encodeURIComponent(passkey)}`)).status).toBe(404);
    }
    expect(await list(victim.subject)).toMatchObject([{ id: theirs.id, name: 'theirs' }]);
  });

  test('renamed and removed; every form needs its token (B1)', async () => {
    const { agent, person, page } = await visit(server, security);
    const { id } = await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url });
    await withBoth(server, person);
    for (const path of ['add', 'rename', 'remove']) {
      const refused = await agent.go(`${here}/${path}`, { form: { csrf: 'x', passkey: id, name: 'x' } });
      expect(refused.status).toBe(403);
    }
    const renamed = await send(agent, page, `${here}/rename`, { passkey: id, name: 'kitchen' });
    expect(words(renamed)).toMatch(/The passkey is renamed.*kitchen/);
    expect(words(await send(agent, page, `${here}/rename`, { passkey: id, name: 'x'.repeat(61) }))).toContain(
      'too long',
    );
    expect((await agent.go(`${here}/rename?passkey=${id}`)).text).toContain('value="kitchen"');
    const asked = await agent.go(`${here}/remove?passkey=${id}`);
    expect(words(asked)).toMatch(/Remove kitchen \? You can no longer sign in with it here/);
    const removed = await send(agent, asked, `${here}/remove`, { passkey: id });
    expect([removed.url, words(removed)]).toEqual([server.url + security, expect.stringContaining('It is removed.')]);
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ twoFactor: false });
  });

  test('without a password the last one stays', async () => {
    const { agent, person, page } = await visit(server, security);
    const { id } = await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url });
    await server.core.stores.accounts.update(person.subject, { passwordHash: null }, 1);
    await withBoth(server, person);
    expect(words(await agent.go(here))).toContain('You need it to sign in');
    const kept = await send(agent, page, `${here}/remove`, { passkey: id });
    expect(words(kept)).toContain('it was not removed');
    expect(await list(person.subject)).toHaveLength(1);
  });

  test('twenty, and then no more are offered', async () => {
    const { agent, person } = await visit(server, security);
    for (let n = 0; n < 20; n += 1) await enrolPasskey(server.core.passkeys, person.subject, { origin: server.url });
    await withBoth(server, person);
    const full = await agent.go(here);
    expect([full.text.includes('data-new-passkey'), words(full).includes('which is the maximum')]).toEqual([
      false,
      true,
    ]);
  });

  test('codes by e-mail: switched on with recovery codes, listed, and off again', async () => {
    const factors = '/account/factors';
    const { agent, person, page } = await visit(server, security);
    const codes = await send(agent, page, `${factors}/email-code`);
    expect(codes.url).toBe(`${server.url}${factors}/codes`);
    const listed = await agent.go(factors);
    expect(words(listed)).toMatch(/Codes by e-mail On .* Code by e-mail Added/);
    expect(listed.text).not.toContain('action="/account/factors/email-code"');
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ twoFactor: true });
    const [factor] = (await server.core.factors.list(person.subject)).factors;
    const fields = { factor: factor?.id ?? '' };
    // Nobody has shown yet that they get such mails.
    const asked = await send(agent, listed, `${factors}/remove`, fields);
    const recovery = await agent.go(`${new URL(asked.url).pathname}?method=recovery-code`);
    const [, code = ''] = /<li><code>([0-9a-z-]+)<\/code>/.exec(codes.text) ?? [];
    await agent.submit(recovery, { recovery_code: code });
    await send(agent, listed, `${factors}/remove`, fields);
    expect(await server.core.accounts.findBySubject(person.subject)).toMatchObject({ twoFactor: false });
    // Whose address is not proved is not offered it, and does not get it by asking.
    const unproved = await buildPerson(server, { verified: false });
    const other = await visit(server, security, unproved);
    expect(other.page.text).not.toContain('action="/account/factors/email-code"');
    const refused = await other.agent.go(`${factors}/email-code`, { form: { csrf: csrfOf(other.page) } });
    expect(words(refused)).toContain('We cannot e-mail you codes');
    expect(await server.core.accounts.findBySubject(unproved.subject)).toMatchObject({ twoFactor: false });
  });
});
