/** The profile page: what is taken, what is refused and shown again, and what an operator's change leaves of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { send, visit, words } from './visitor.ts';

const page = '/account/profile';
const full = {
  ...{ first_name: 'Ada', last_name: 'Lovelace', picture: 'https://pictures.example/ada.png?s=1&t=2' },
  ...{ phone: '+44 (0)20-7946.0958'.replace('(0)', ''), zoneinfo: 'europe/london', locale: 'fr-ca' },
  ...{ street_address: '12 St James’s Square\r\nFlat 2', postal_code: 'SW1Y', locality: 'London', region: '' },
  ...{ country: 'United Kingdom', formatted: '' },
};

describeStorages('the profile page', (storage) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await storage.start();
  });
  afterAll(() => server.close());

  const accountOf = async (subject: string) => server.core.accounts.findBySubject(subject);

  test('every attribute is saved in its usual form, shown again, and emptied', async () => {
    const { person, agent, page: shown } = await visit(server, page);
    expect((await send(agent, shown, page, full)).text).toContain('Your profile is saved.');
    const saved = {
      ...{ firstName: 'Ada', picture: full.picture, phone: '+442079460958', phoneVerified: false },
      ...{ zoneinfo: 'Europe/London', locale: 'fr-CA' },
      address: {
        ...{ street_address: '12 St James’s Square\nFlat 2', postal_code: 'SW1Y', locality: 'London' },
        country: 'United Kingdom',
      },
    };
    expect(await accountOf(person.subject)).toMatchObject(saved);
    const again = await agent.go(page);
    expect(again.text).toContain('value="https://pictures.example/ada.png?s=1&amp;t=2"');
    expect(again.text).toContain('12 St James’s Square\nFlat 2</textarea>');
    expect(again.text).toMatch(/<option value="fr-CA" lang="fr-CA" selected>/);
    const empty = Object.fromEntries(Object.keys(full).map((name) => [name, '']));
    await send(agent, again, page, empty);
    const none = { picture: null, phone: null, zoneinfo: null, locale: null, address: null, firstName: '' };
    expect(await accountOf(person.subject)).toMatchObject(none);
  });

  describe('refused beside its field, and everything that was typed stays', () => {
    test.each([
      ['picture', 'http://pictures.example/ada.png'],
      ['picture', 'https://user:secret@pictures.example/'],
      ['picture', 'javascript:alert(1)'],
      ['picture', '//pictures.example/ada.png'],
      ['picture', 'https:pictures.example'],
      ['picture', `https://pictures.example/${'x'.repeat(2048)}`],
      ['phone', '020 7946 0958'],
      ['phone', '+44'],
      ['phone', '+44 20 7946 0958 ext. 4'],
      ['phone', `+${'1'.repeat(16)}`],
      ['zoneinfo', 'Europe/Atlantis'],
      ['zoneinfo', '+01:00'],
      ['zoneinfo', '../../etc/passwd'],
      ['locale', 'not a language'],
      ['locale', 'x'.repeat(65)],
      ['country', 'x'.repeat(201)],
      ['region', 'a\u202eb'],
      ['street_address', 'a\u0007b'],
      ['formatted', 'x'.repeat(1001)],
      ['first_name', 'x'.repeat(101)],
    ])('%s %s', async (field, value) => {
      const { person, agent, page: shown } = await visit(server, page);
      const answer = await send(agent, shown, page, { ...full, [field]: value });
      expect(answer.status).toBe(422);
      expect(answer.text).toContain(`id="${field}-error"`);
      expect(answer.text.match(/class="wrong"/g)).toHaveLength(1);
      const kept = field === 'locality' ? 'Lovelace' : 'London';
      expect(answer.text).toContain(kept);
      expect(answer.text).toMatch(/<title>Problem: /);
      expect(await accountOf(person.subject)).toMatchObject({
        firstName: 'Test',
        picture: null,
        address: null,
        phone: null,
      });
    });
  });

  test('a number that changes is proved no more; one that stays is', async () => {
    const { person, agent, page: shown } = await visit(server, page);
    await server.core.accountEdits.update(person.subject, {
      attributes: { phone: '+442079460958' },
      phoneVerified: true,
    });
    await send(agent, shown, page, { ...full, phone: '+44 20 7946 0958' });
    expect(await accountOf(person.subject)).toMatchObject({ phoneVerified: true });
    await send(agent, shown, page, { ...full, phone: '+44 20 7946 0959' });
    expect(await accountOf(person.subject)).toMatchObject({ phone: '+442079460959', phoneVerified: false });
  });

  test('a form with fewer fields, as an operator may have, leaves the others alone', async () => {
    const { person, agent, page: shown } = await visit(server, page);
    await send(agent, shown, page, full);
    await send(agent, shown, page, { first_name: 'Augusta' });
    expect(await accountOf(person.subject)).toMatchObject({
      firstName: 'Augusta',
      lastName: 'Lovelace',
      locale: 'fr-CA',
    });
  });

  test('the record names what changed and holds no value of it; the download has all of it', async () => {
    const { person, agent, page: shown } = await visit(server, page);
    await send(agent, shown, page, full);
    const [record] = await server.core.stores.audit.list(
      { subject: person.subject, event: 'account.profile_changed' },
      5,
    );
    expect(record?.detail).toMatchObject({ via: 'account' });
    expect(record?.detail.changed).toEqual([
      'firstName',
      'lastName',
      'locale',
      'picture',
      'zoneinfo',
      'phone',
      'address',
    ]);
    expect(JSON.stringify(record)).not.toContain('7946');
    await server.core.groups.add({ name: 'Calculators' });
    const group = await server.core.groups.findByName('calculators');
    if (group) await server.core.groups.join(group, person.subject);
    const file = JSON.parse((await agent.go('/account/data/export')).text);
    expect(file.account).toMatchObject({
      phone: '+442079460958',
      address: { locality: 'London' },
      zoneinfo: 'Europe/London',
    });
    expect(file.groups).toEqual(['Calculators']);
    expect(words(await agent.go('/account/activity'))).toContain('Added to a group');
  });

  test('a language without pages: the pages follow the browser, a variant has the pages of its language', async () => {
    const { person, agent } = await visit(server, page);
    const language = async () =>
      (await agent.go(page, { headers: { 'accept-language': 'ar' } })).headers.get('content-language');
    await server.core.accounts.setProfile(person.subject, { locale: 'fr' });
    expect(await language()).toBe('ar');
    await server.core.accounts.setProfile(person.subject, { locale: 'de-AT' });
    expect(await language()).toBe('de');
  });
});
