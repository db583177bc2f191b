/** What core/stores promises, one test for each promise, for every SQL storage. Races are in `races.ts`. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Stores } from '../../src/core/stores/stores.ts';
import {
  buildAccount,
  buildApi,
  buildClient,
  buildDeviceCode,
  buildEvent,
  buildGrant,
  buildKey,
  buildLink,
  buildSession,
  buildToken,
  insertAccount,
  name,
  now,
} from './rows.ts';

export function storageConformance(storage: string, open: () => Promise<Stores>): void {
  describe(`${storage} keeps its promises`, () => {
    let stores: Stores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    const account = (overrides = {}) => insertAccount(stores, overrides);

    describe('accounts', () => {
      test('an account comes back as it was inserted, by each of its names', async () => {
        const given = buildAccount({
          email: 'A@x.example',
          emailKey: `${name()}@x.example`,
          verified: true,
          admin: true,
        });
        const made = await stores.accounts.insert(given);
        if (made.outcome !== 'created') throw new Error(made.outcome);
        expect(made.account).toEqual({
          ...given,
          id: made.account.id,
          updatedAt: now,
          disabledAt: null,
          lastSeenAt: null,
          ...{ locale: null, picture: null, zoneinfo: null, phone: null, phoneVerified: false, address: null },
        });
        for (const found of [
          stores.accounts.byId(made.account.id),
          stores.accounts.bySubject(given.subject),
          stores.accounts.byUsernameKey(given.usernameKey),
          stores.accounts.byVerifiedEmailKey(given.emailKey ?? ''),
        ]) {
          expect(await found).toEqual(made.account);
        }
      });

      test('no one is found under a name that no account has, whatever it holds', async () => {
        for (const key of ['', 'nobody', 'a\0b', "' or 1=1 --", '\ud800', 'x'.repeat(10_000)]) {
          expect(await stores.accounts.bySubject(key)).toBeUndefined();
          expect(await stores.accounts.byUsernameKey(key)).toBeUndefined();
          expect(await stores.accounts.byVerifiedEmailKey(key)).toBeUndefined();
        }
        for (const id of [0, -1, 2 ** 53, Number.NaN]) expect(await stores.accounts.byId(id)).toBeUndefined();
      });

      test('a second account under a taken name or address is refused, and says which', async () => {
        const first = await account({ email: 'b@x.example', emailKey: 'b@x.example' });
        expect(await stores.accounts.insert(buildAccount({ usernameKey: first.usernameKey }))).toEqual({
          outcome: 'taken',
          field: 'username',
        });
        expect(await stores.accounts.insert(buildAccount({ emailKey: 'b@x.example' }))).toEqual({
          outcome: 'taken',
          field: 'email',
        });
        const other = await account();
        expect(await stores.accounts.update(other.subject, { emailKey: 'b@x.example' }, now)).toEqual({
          outcome: 'taken',
          field: 'email',
        });
        expect(await stores.accounts.update(other.subject, { usernameKey: first.usernameKey }, now)).toEqual({
          outcome: 'taken',
          field: 'username',
        });
      });

      test('an account and the link that invites it come and go together, and one link makes one account', async () => {
        const [first, link] = [await account(), buildLink()];
        await stores.links.insert(link);
        const taken = buildAccount({ username: first.username });
        expect(await stores.accounts.insertInvited(taken, link.key)).toEqual({ outcome: 'taken', field: 'username' });
        expect(await stores.links.find(link.key)).toEqual(link);
        const invited = Array.from({ length: 10 }, () => buildAccount());
        const made = await Promise.all(invited.map((each) => stores.accounts.insertInvited(each, link.key)));
        expect(made.map(({ outcome }) => outcome).sort()).toEqual(['created', ...Array(9).fill('gone')]);
        const found = await Promise.all(invited.map(({ subject }) => stores.accounts.bySubject(subject)));
        expect(found.filter((each) => each !== undefined)).toHaveLength(1);
        expect(await stores.links.find(link.key)).toBeUndefined();
        expect(await stores.accounts.insertInvited(buildAccount(), 'no\0thing')).toEqual({ outcome: 'gone' });
      });

      test('an address that is not proved is given up, with the name where it is that too; a proved one stays', async () => {
        const key = () => `${name().toLowerCase()}@x.example`;
        const released = (emailKey: string) => {
          const username = `New-${name()}`;
          return stores.accounts.releaseEmail(emailKey, { username, usernameKey: username.toLowerCase() }, now + 5);
        };
        const [a, b, c] = [key(), key(), key()];
        const named = await account({ username: a, email: a, emailKey: a });
        const beside = await account({ email: b, emailKey: b });
        const proved = await account({ username: c, email: c, emailKey: c, verified: true });
        expect(await released(a)).toEqual({ subject: named.subject, renamed: true });
        expect(await released(b)).toEqual({ subject: beside.subject, renamed: false });
        for (const none of [a, c, key(), 'no\0body']) expect(await released(none)).toBeUndefined();
        const free = { email: null, emailKey: null, updatedAt: now + 5 };
        const after = await stores.accounts.bySubject(named.subject);
        expect(after).toMatchObject({ ...free, username: expect.stringMatching(/^New-/) });
        expect(after?.usernameKey).toBe(after?.username.toLowerCase());
        expect(await stores.accounts.bySubject(beside.subject)).toMatchObject({ ...free, username: beside.username });
        expect(await stores.accounts.bySubject(proved.subject)).toEqual(proved);
        const seq = await stores.changes.latest();
        expect(await stores.changes.since(seq - 2)).toMatchObject([{ id: named.subject }, { id: beside.subject }]);
      });

      test('any number of accounts have no address', async () => {
        await account();
        await account();
      });

      test('an address that is not verified finds no one', async () => {
        const emailKey = `${name()}@x.example`;
        const made = await account({ email: emailKey, emailKey });
        expect(await stores.accounts.byVerifiedEmailKey(emailKey)).toBeUndefined();
        await stores.accounts.update(made.subject, { verified: true }, now);
        expect(await stores.accounts.byVerifiedEmailKey(emailKey)).toMatchObject({ subject: made.subject });
      });

      test('an update changes what it names and nothing else', async () => {
        const made = await account();
        const changed = await stores.accounts.update(made.subject, { firstName: 'Eve', disabledAt: now }, now + 5);
        expect(changed).toEqual({ ...made, firstName: 'Eve', disabledAt: now, updatedAt: now + 5 });
        expect(await stores.accounts.bySubject(made.subject)).toEqual(changed);
        expect(await stores.accounts.update(made.subject, {}, now + 6)).toMatchObject({ updatedAt: now + 6 });
        expect(await stores.accounts.update(name(), { firstName: 'Eve' }, now)).toBeUndefined();
      });

      test('a password hash is replaced only while it is the one that was read, and the change is noted', async () => {
        const made = await account({ passwordHash: 'old' });
        const before = await stores.changes.latest();
        const { subject } = made;
        expect(await stores.accounts.replacePasswordHash(subject, { from: 'older', to: 'x' }, now + 5)).toBeUndefined();
        expect(await stores.accounts.replacePasswordHash(name(), { from: 'old', to: 'x' }, now + 5)).toBeUndefined();
        expect(await stores.accounts.replacePasswordHash('a\0', { from: 'old', to: 'x' }, now + 5)).toBeUndefined();
        expect(await stores.accounts.bySubject(subject)).toEqual(made);
        expect(await stores.changes.latest()).toBe(before);
        const changed = await stores.accounts.replacePasswordHash(subject, { from: 'old', to: 'new' }, now + 5);
        expect(changed).toEqual({ ...made, passwordHash: 'new', updatedAt: now + 5 });
        expect(await stores.accounts.bySubject(subject)).toEqual(changed);
        expect(await stores.changes.since(before)).toMatchObject([{ kind: 'account', id: subject }]);
      });

      test('of many accounts those whose names are free are inserted, and the others are told why not', async () => {
        const imported = (overrides = {}) => ({ ...buildAccount(overrides), disabledAt: null });
        const there = await account({ email: 'T@x.example', emailKey: `${name()}@x.example` });
        const [first, disabled] = [imported({ passwordHash: 'h' }), { ...imported(), disabledAt: now }];
        const batch = [
          first,
          imported({ usernameKey: there.usernameKey }),
          disabled,
          imported({ email: 'T@x.example', emailKey: there.emailKey }),
          imported({ usernameKey: first.usernameKey }),
          imported({ usernameKey: there.usernameKey, email: 'T@x.example', emailKey: there.emailKey }),
        ];
        const answers = [
          { outcome: 'created' },
          { outcome: 'taken', field: 'username' },
          { outcome: 'created' },
          { outcome: 'taken', field: 'email' },
          { outcome: 'taken', field: 'username' },
          { outcome: 'taken', field: 'username' },
        ];
        const count = await stores.accounts.count();
        expect(await stores.accounts.insertAll(batch, { dryRun: true })).toEqual(answers);
        expect(await stores.accounts.count()).toBe(count);
        expect(await stores.accounts.insertAll(batch)).toEqual(answers);
        expect(await stores.accounts.count()).toBe(count + 2);
        const { id = 0 } = (await stores.accounts.bySubject(first.subject)) ?? {};
        expect(await stores.accounts.bySubject(first.subject)).toMatchObject({
          ...first,
          id,
          updatedAt: now,
          lastSeenAt: null,
        });
        expect(await stores.accounts.bySubject(disabled.subject)).toMatchObject({ disabledAt: now });
        expect(await stores.accounts.byUsernameKey(there.usernameKey)).toEqual(there);
        expect(await stores.accounts.insertAll([])).toEqual([]);
      });

      test('a hundred accounts go in one call', async () => {
        const hundred = Array.from({ length: 100 }, () => ({ ...buildAccount(), disabledAt: null }));
        const answers = await stores.accounts.insertAll(hundred);
        expect(answers).toHaveLength(100);
        expect(answers.every(({ outcome }) => outcome === 'created')).toBe(true);
      });

      test('a grant is not written where what it rests on is gone', async () => {
        const grant = buildGrant({ subject: (await account()).subject });
        const { subject, clientId } = grant;
        const commit = async (rests: 'grant' | 'consent') =>
          (await stores.engine.commit({ grants: [{ ...grant, rests }] })).outcome;
        expect([await commit('grant'), await commit('consent')]).toEqual(['spent', 'spent']);
        await stores.consents.put({ subject, clientId, scopes: [], claims: [], resources: {}, updatedAt: now });
        expect([await commit('grant'), await commit('consent'), await commit('grant')]).toEqual([
          'spent',
          'committed',
          'committed',
        ]);
        await stores.engine.revokeGrantsOf(subject, clientId);
        expect([await commit('grant'), await commit('consent')]).toEqual(['spent', 'spent']);
        expect(await stores.engine.readGrant(grant.id)).toBeUndefined();
      });

      test('a deleted account takes everything of its own along, and its id never returns', async () => {
        const { subject, id } = await account();
        const [grant, session, link] = [buildGrant({ subject }), buildSession({ subject }), buildLink({ subject })];
        const token = buildToken({ subject, grantId: grant.id });
        await stores.engine.commit({ grants: [grant], sessions: [session], tokens: [token] });
        await stores.consents.put({ subject, clientId: 'c', scopes: [], claims: [], resources: {}, updatedAt: now });
        await stores.links.insert(link);
        expect(await stores.accounts.delete(subject)).toBe('removed');
        expect(await stores.accounts.delete(subject)).toBe('not-found');
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
        expect(await stores.engine.readGrant(grant.id)).toBeUndefined();
        expect(await stores.engine.readSession(session.key, undefined)).toBeUndefined();
        expect(await stores.consents.list(subject)).toEqual([]);
        expect(await stores.links.find(link.key)).toBeUndefined();
        expect((await account()).id).toBeGreaterThan(id);
      });

      test('the last administrator who is not disabled cannot be deleted', async () => {
        for (const { subject, admin } of await stores.accounts.list(0, 1000))
          if (admin) await stores.accounts.update(subject, { admin: false }, now);
        const admins = [await account({ admin: true }), await account({ admin: true })] as const;
        const [first, second] = admins.map(({ subject }) => subject) as [string, string];
        await stores.accounts.update(second, { disabledAt: now }, now);
        expect(await stores.accounts.delete(first)).toBe('last-admin');
        expect(await stores.accounts.bySubject(first)).toBeDefined();
        await stores.accounts.update(second, { disabledAt: null }, now);
        expect(await stores.accounts.delete(first)).toBe('removed');
        expect(await stores.accounts.delete(second)).toBe('last-admin');
        await stores.accounts.update(second, { admin: false }, now);
        expect(await stores.accounts.delete(second)).toBe('removed');
      });

      test('the list goes by id, from after the one that is named', async () => {
        const [a, b, c] = [await account(), await account(), await account()];
        expect((await stores.accounts.list(a.id - 1, 2)).map(({ id }) => id)).toEqual([a.id, b.id]);
        expect(await stores.accounts.list(b.id, 1000)).toEqual([c]);
        expect(await stores.accounts.count()).toBeGreaterThanOrEqual(3);
      });
    });

    describe('clients and APIs', () => {
      test('a client comes back as it was inserted; its id is taken then', async () => {
        const client = buildClient({ metadata: { client_name: 'a\0b\ud800', nested: { deep: [1, null, true] } } });
        expect(await stores.clients.insert(client)).toBe(true);
        expect(await stores.clients.find(client.id)).toEqual(client);
        expect(await stores.clients.insert({ ...client, owner: 'other' })).toBe(false);
        expect(await stores.clients.find(client.id)).toEqual(client);
      });

      test('no client is found under an id that none has, whatever it holds', async () => {
        for (const id of ['', 'a\0b', '$', "'", '\ud800']) expect(await stores.clients.find(id)).toBeUndefined();
      });

      test('an update counts only on the version it was made from', async () => {
        const client = buildClient();
        const { subject: owner } = await account();
        await stores.clients.insert(client);
        const next = {
          ...client,
          metadata: { a: 1 },
          secrets: [],
          owner,
          reviewedAt: now,
          disabledAt: now,
          ownDisabledAt: now,
          version: 2,
          updatedAt: now + 1,
        };
        expect(await stores.clients.update({ ...next, version: 3 })).toBe(false);
        expect(await stores.clients.update(next)).toBe(true);
        expect(await stores.clients.update(next)).toBe(false);
        expect(await stores.clients.find(client.id)).toEqual(next);
      });

      test('a deleted client takes its grants, tokens and consents along', async () => {
        const client = buildClient();
        const grant = buildGrant({ clientId: client.id });
        const token = buildToken({ clientId: client.id });
        await stores.clients.insert(client);
        await stores.engine.commit({ grants: [grant], tokens: [token] });
        await stores.consents.put({
          subject: 's',
          clientId: client.id,
          scopes: [],
          claims: [],
          resources: {},
          updatedAt: 1,
        });
        expect(await stores.clients.delete(client.id)).toBe(true);
        expect(await stores.clients.delete(client.id)).toBe(false);
        expect(await stores.clients.find(client.id)).toBeUndefined();
        expect(await stores.engine.readGrant(grant.id)).toBeUndefined();
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
        expect(await stores.consents.find('s', client.id)).toBeUndefined();
      });

      test('the clients of one owner are listed by id, page by page, and no one else’s', async () => {
        const [{ subject: owner }, other] = [await account(), await account()];
        const made = [1, 2, 3].map(() => buildClient({ owner }));
        for (const client of [...made, buildClient({ owner: other.subject }), buildClient()])
          expect(await stores.clients.insert(client)).toBe(true);
        const ids = made.map(({ id }) => id).sort();
        const [first, second] = ids;
        expect((await stores.clients.listOwned(owner, '', 10)).map(({ id }) => id)).toEqual(ids);
        expect((await stores.clients.listOwned(owner, first ?? '', 1)).map(({ id }) => id)).toEqual([second]);
        for (const odd of ['', 'a\0b']) expect(await stores.clients.listOwned(odd, '', 10)).toEqual([]);
      });

      test('S10: a client is disabled while the account of its owner is, and rises by a version each time', async () => {
        const { subject: owner } = await account();
        const [own, both, foreign] = [buildClient({ owner }), buildClient({ owner }), buildClient()];
        for (const client of [own, both, foreign]) await stores.clients.insert(client);
        await stores.clients.update({ ...both, ownDisabledAt: now, version: 2 });
        const states = async () => {
          const found = await Promise.all([own, both, foreign].map(({ id }) => stores.clients.find(id)));
          const listed = await stores.clients.listOwned(owner, '', 10);
          expect(listed).toEqual(found.filter((client) => client?.owner === owner).sort(byId));
          return found.map((client) => [client?.disabledAt, client?.ownDisabledAt, client?.version]);
        };
        const seq = await stores.changes.latest();
        await stores.accounts.update(owner, { disabledAt: now + 5 }, now);
        expect(await states()).toEqual([
          [now + 5, null, 2],
          [now, now, 3],
          [null, null, 1],
        ]);
        const noted = (await stores.changes.since(seq)) ?? [];
        expect(noted.map(({ seq }) => seq)).toEqual([seq + 1, seq + 2, seq + 3]);
        expect(noted.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual(
          [`client ${own.id}`, `client ${both.id}`, `account ${owner}`].sort(),
        );
        // Made from what was read before: it must not write over what it has not seen.
        expect(await stores.clients.update({ ...own, version: 2 })).toBe(false);
        await stores.accounts.update(owner, { disabledAt: null }, now);
        expect(await states()).toEqual([
          [null, null, 3],
          [now, now, 4],
          [null, null, 1],
        ]);
        const before = await stores.changes.latest();
        await stores.accounts.update(owner, { firstName: 'Augusta' }, now);
        expect(await stores.changes.latest()).toBe(before + 1);
      });

      test('S10: an account that is disabled or gone is given no client; of a deletion and a client either comes first', async () => {
        const [disabled, gone] = [await account(), await account()];
        await stores.accounts.update(disabled.subject, { disabledAt: now }, now);
        await stores.accounts.delete(gone.subject);
        for (const owner of [disabled.subject, gone.subject, name(), 'a\0b']) {
          const client = buildClient({ owner });
          expect(await stores.clients.insert(client)).toBe(false);
          expect(await stores.clients.find(client.id)).toBeUndefined();
        }
        for (let round = 0; round < 5; round += 1) {
          const { subject: owner } = await account();
          const client = buildClient({ owner });
          const [made] = await Promise.all([stores.clients.insert(client), stores.accounts.delete(owner)]);
          expect([made, await stores.clients.find(client.id)]).toEqual([made, undefined]);
        }
      });

      test('S10: a deleted account takes its clients along, with what others have given them', async () => {
        const { subject: owner } = await account();
        const made = Array.from({ length: 120 }, () => buildClient({ owner }));
        for (const client of made) await stores.clients.insert(client);
        const [first] = made;
        const { subject } = await account();
        const grant = buildGrant({ clientId: first?.id ?? '', subject });
        const token = buildToken({ clientId: first?.id ?? '', subject, grantId: grant.id });
        await stores.engine.commit({ grants: [grant], tokens: [token] });
        const seq = await stores.changes.latest();
        expect(await stores.accounts.delete(owner)).toBe('removed');
        expect(await stores.clients.listOwned(owner, '', 1000)).toEqual([]);
        expect(await stores.engine.readGrant(grant.id)).toBeUndefined();
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
        const noted = (await stores.changes.since(seq)) ?? [];
        expect(noted.map(({ seq }) => seq)).toEqual(Array.from({ length: 121 }, (_, n) => seq + 1 + n));
        expect(new Set(noted.map(({ id }) => id))).toEqual(new Set([...made.map(({ id }) => id), owner]));
      });

      test('the list goes by id, byte by byte', async () => {
        for (const id of ['~b', '~B', '~a', '~_']) await stores.clients.insert(buildClient({ id }));
        expect((await stores.clients.list('~', 3)).map(({ id }) => id)).toEqual(['~B', '~_', '~a']);
        expect((await stores.clients.list('~a', 10)).map(({ id }) => id)).toEqual(['~b']);
        expect(await stores.clients.count()).toBeGreaterThanOrEqual(4);
      });

      test('an API is put, replaced and removed', async () => {
        const api = buildApi({ tokenLifetime: 60, introspectors: ['c'] });
        await stores.apis.put(api);
        expect(await stores.apis.list()).toContainEqual(api);
        await stores.apis.put({ ...api, name: 'New', tokenFormat: 'opaque' });
        expect(await stores.apis.list()).toContainEqual({ ...api, name: 'New', tokenFormat: 'opaque' });
        const edited = await stores.apis.update(api.identifier, (stored) => ({ ...stored, name: `${stored.name}er` }));
        expect(edited).toEqual({ ...api, name: 'Newer', tokenFormat: 'opaque' });
        expect(await stores.apis.list()).toContainEqual(edited);
        expect(await stores.apis.update(api.identifier, () => undefined)).toBeUndefined();
        expect(await stores.apis.update('https://no.example', (stored) => stored)).toBeUndefined();
        expect(await stores.apis.remove(api.identifier)).toBe(true);
        expect(await stores.apis.remove(api.identifier)).toBe(false);
      });
    });

    describe('changes', () => {
      test('every write of a client, an API or the keys is noted, and a write that did nothing is not', async () => {
        const before = await stores.changes.latest();
        const client = buildClient();
        const api = buildApi();
        await stores.clients.insert(client);
        await stores.clients.insert(client);
        await stores.clients.update({ ...client, version: 2 });
        await stores.clients.update({ ...client, version: 2 });
        await stores.clients.delete(client.id);
        await stores.clients.delete(client.id);
        await stores.apis.put(api);
        await stores.apis.remove(api.identifier);
        await stores.apis.remove(api.identifier);
        await stores.keys.replace(await stores.keys.list(), [buildKey()], []);
        await stores.keys.replace([{ id: 'other', status: 'next' }], [], []);
        const noted = await stores.changes.since(before);
        expect(noted?.map(({ kind }) => kind)).toEqual(['client', 'client', 'client', 'api', 'api', 'key']);
        expect(noted?.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6].map((n) => before + n));
        expect(noted?.slice(0, 4).map(({ id }) => id)).toEqual([client.id, client.id, client.id, api.identifier]);
        expect(await stores.changes.latest()).toBe(before + 6);
      });

      test('a log that was pruned says that it does not reach back', async () => {
        const seq = await stores.changes.note('reload', '');
        expect(await stores.changes.since(seq)).toEqual([]);
        await stores.changes.prune(2 ** 40);
        expect(await stores.changes.since(seq - 1)).toBeUndefined();
        expect(await stores.changes.since(seq)).toEqual([]);
        expect(await stores.changes.latest()).toBe(seq);
        expect(await stores.changes.since(seq + 1)).toBeUndefined();
        expect(await stores.changes.note('reload', '')).toBe(seq + 1);
      });

      test('at most a thousand at a time', async () => {
        const before = await stores.changes.latest();
        for (let n = 0; n < 1001; n += 91)
          await Promise.all(Array.from({ length: 91 }, () => stores.changes.note('reload', '')));
        expect(await stores.changes.since(before)).toHaveLength(1000);
      });
    });

    describe('what the engine keeps', () => {
      test('a token comes with its grant, its account and its session, in one round trip', async () => {
        const { subject } = await account();
        const grant = buildGrant({ subject });
        const session = buildSession({ subject, grants: { c: grant.id } });
        const token = buildToken({ subject, grantId: grant.id, sessionUid: session.uid, clientId: 'c' });
        await stores.engine.commit({ grants: [grant], sessions: [session], tokens: [token] });
        const before = stores.roundTrips();
        const bundle = await stores.engine.readToken(token.key);
        expect(stores.roundTrips() - before).toBe(1);
        const { before: _, ...stored } = session;
        expect(bundle).toEqual({
          token: {
            ...token,
            consumedAt: null,
            successorKey: null,
            successorSealed: null,
            successorConsumed: false,
            repeats: 0,
            repeatsNoted: null,
          },
          grant,
          account: expect.objectContaining({ subject }),
          session: { ...stored, createdAt: expect.any(Number), lastSeenAt: null },
        });
        expect(await stores.engine.readGrant(grant.id)).toEqual({ grant, account: bundle?.account });
      });

      test('payloads hold any text that JSON can', async () => {
        const payload = JSON.stringify({ text: 'a\0b\ud800 "\\ \u2028 ü 😀 $1 ?', 'key\0': "'" });
        const token = buildToken({ payload });
        const [grant, session] = [buildGrant({ payload }), buildSession({ payload })];
        await stores.engine.commit({ tokens: [token], grants: [grant], sessions: [session] });
        expect((await stores.engine.readToken(token.key))?.token.payload).toBe(payload);
        expect((await stores.engine.readGrant(grant.id))?.grant.payload).toBe(payload);
        expect((await stores.engine.readSession(session.key, undefined))?.session.payload).toBe(payload);
      });

      test('a token, a session, a grant that is not there is undefined', async () => {
        expect(await stores.engine.readToken('none')).toBeUndefined();
        expect(await stores.engine.readSession('none', 'c')).toBeUndefined();
        expect(await stores.engine.readSessionByUid('none')).toBeUndefined();
        expect(await stores.engine.readGrant('none')).toBeUndefined();
      });

      test('a token without grant, account and session brings none, and expired ones are still returned', async () => {
        const token = buildToken({ grantId: null, subject: 'nobody', sessionUid: 'ended', expiresAt: 1 });
        await stores.engine.commit({ tokens: [token] });
        expect(await stores.engine.readToken(token.key)).toMatchObject({
          token: { key: token.key },
          grant: undefined,
          account: undefined,
          session: undefined,
        });
      });

      test('a session comes with its account and the grant of the client that asks', async () => {
        const { subject } = await account();
        const [mine, other] = [buildGrant({ subject }), buildGrant({ subject, clientId: '$."x"' })];
        const session = buildSession({ subject, grants: { c: mine.id, '$."x"': other.id, gone: 'gone' } });
        await stores.engine.commit({ grants: [mine, other], sessions: [session] });
        expect((await stores.engine.readSession(session.key, 'c'))?.grant).toEqual(mine);
        expect((await stores.engine.readSession(session.key, '$."x"'))?.grant).toEqual(other);
        for (const client of [undefined, '', '$', '$.c', 'gone', 'stranger']) {
          const bundle = await stores.engine.readSession(session.key, client);
          expect(bundle).toMatchObject({ session: { uid: session.uid }, account: { subject }, grant: undefined });
        }
        expect(await stores.engine.readSessionByUid(session.uid)).toMatchObject({
          session: { key: session.key },
          account: { subject },
          grant: undefined,
        });
      });

      test('a consumed token stays, with its successor, and is spent for the next one', async () => {
        const [old, next] = [buildToken(), buildToken()];
        await stores.engine.commit({ tokens: [old] });
        const consume = [{ key: old.key, at: now, successor: { key: next.key, sealed: 'sealed' } }];
        expect(await stores.engine.commit({ consume, tokens: [next] })).toEqual({ outcome: 'committed' });
        const state = {
          consumedAt: now,
          successorKey: next.key,
          successorSealed: 'sealed',
          successorConsumed: false,
          repeats: 0,
          repeatsNoted: null,
        };
        expect((await stores.engine.readToken(old.key))?.token).toEqual({ ...old, ...state });

        const late = buildToken();
        const spent = await stores.engine.commit({ consume: [{ key: old.key, at: now + 1 }], tokens: [late] });
        expect(spent).toEqual({ outcome: 'spent', token: { ...old, ...state } });
        expect(await stores.engine.readToken(late.key)).toBeUndefined();

        await stores.engine.commit({ consume: [{ key: next.key, at: now + 2 }] });
        expect((await stores.engine.readToken(old.key))?.token.successorConsumed).toBe(true);
      });

      test('repeats of a successor are counted; the third, or one to a second network, says so once', async () => {
        for (const elsewhereAt of [undefined, 1, 3, 5]) {
          const old = buildToken();
          await stores.engine.commit({ tokens: [old] });
          await stores.engine.commit({ consume: [{ key: old.key, at: now, successor: { key: 'n', sealed: 's' } }] });
          const told: unknown[] = [];
          for (let repeat = 1; repeat <= 5; repeat += 1) {
            const token = buildToken();
            const elsewhere = repeat === elsewhereAt;
            const outcome = await stores.engine.commit({ repeat: { key: old.key, elsewhere }, tokens: [token] });
            expect(await stores.engine.readToken(token.key)).toBeDefined();
            if (outcome.outcome === 'committed' && outcome.shared) told.push(outcome.shared);
          }
          const first = elsewhereAt === 1 ? 1 : 3;
          expect(told).toEqual([{ repeats: first, elsewhere: elsewhereAt === first }]);
          const read = (await stores.engine.readToken(old.key))?.token;
          expect(read).toMatchObject({ consumedAt: now, successorSealed: 's', repeats: 5, repeatsNoted: first });
        }
      });

      test('a repeat whose grant is gone is spent and counts nothing', async () => {
        const old = buildToken();
        await stores.engine.commit({ tokens: [old] });
        const unit = { repeat: { key: old.key, elsewhere: true }, tokens: [buildToken({ grantId: 'revoked' })] };
        expect(await stores.engine.commit(unit)).toEqual({ outcome: 'spent', token: undefined });
        expect((await stores.engine.readToken(old.key))?.token).toMatchObject({ repeats: 0, repeatsNoted: null });
      });

      test('a unit holds only for the account as it was found, and its records are there if the rest of it is', async () => {
        const person = { ...buildAccount(), passwordHash: 'one' };
        const { subject } = person;
        await stores.accounts.insert(person);
        const put = async (passwordHash: string | null, whose = subject) => {
          const session = buildSession({ subject });
          const event = buildEvent({ subject, detail: { odd: 'a"b\\u0000\u0000' }, address: 'x\u0000' });
          const unit = { account: { subject: whose, passwordHash }, sessions: [session], audit: [event] };
          // Beside one that does not depend on it.
          const [{ outcome }, beside] = await Promise.all([
            stores.engine.commit(unit),
            stores.engine.commit({ tokens: [buildToken()] }),
          ]);
          expect(beside.outcome).toBe('committed');
          const there = (await stores.engine.readSessionByUid(session.uid)) !== undefined;
          const events = await stores.audit.list({ subject }, 100);
          const kept = events.filter(({ requestId }) => requestId === event.requestId);
          expect(kept).toEqual(
            outcome === 'committed' ? [{ ...event, address: 'x\uFFFD', id: expect.any(Number) }] : [],
          );
          expect(there).toBe(outcome === 'committed');
          return outcome;
        };
        expect(await put('one')).toBe('committed');
        for (const other of ['two', '', null]) expect(await put(other)).toBe('spent');
        expect(await put('one', name())).toBe('spent');
        await stores.accounts.update(subject, { disabledAt: now }, now);
        expect(await put('one')).toBe('spent');
        await stores.accounts.update(subject, { disabledAt: null, passwordHash: null }, now);
        expect(await put('one')).toBe('spent');
        expect(await put(null)).toBe('committed');
        await stores.accounts.delete(subject);
        expect(await put(null)).toBe('spent');
      });

      test('consuming what is not there is spent, and nothing is written', async () => {
        const token = buildToken();
        const grant = buildGrant();
        const session = buildSession();
        const unit = { consume: [{ key: 'none', at: now }], tokens: [token], grants: [grant], sessions: [session] };
        expect(await stores.engine.commit(unit)).toEqual({ outcome: 'spent', token: undefined });
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
        expect(await stores.engine.readGrant(grant.id)).toBeUndefined();
        expect(await stores.engine.readSessionByUid(session.uid)).toBeUndefined();
      });

      test('several tokens are consumed together, or none of them is and nothing is written', async () => {
        const [interaction, pushed, other] = [buildToken(), buildToken(), buildToken()];
        await stores.engine.commit({ tokens: [interaction, pushed, other] });
        const consuming = (...tokens: readonly { readonly key: string }[]) => {
          const code = buildToken();
          const consume = tokens.map(({ key }) => ({ key, at: now }));
          return { code, unit: { consume, tokens: [code] } };
        };
        const used = async ({ key }: { key: string }) => (await stores.engine.readToken(key))?.token.consumedAt ?? null;
        const first = consuming(interaction, pushed);
        expect(await stores.engine.commit(first.unit)).toEqual({ outcome: 'committed' });
        expect([await used(interaction), await used(pushed)]).toEqual([now, now]);
        expect(await stores.engine.readToken(first.code.key)).toBeDefined();
        // Whichever of them was used before, or is not there: the others stay unused.
        for (const more of [pushed, { key: 'none' }]) {
          for (const order of [
            [other, more],
            [more, other],
          ]) {
            const { code, unit } = consuming(...order);
            const outcome = await stores.engine.commit(unit);
            const token = more === pushed ? expect.objectContaining({ key: pushed.key, consumedAt: now }) : undefined;
            expect(outcome).toEqual({ outcome: 'spent', token });
            expect(await used(other)).toBeNull();
            expect(await stores.engine.readToken(code.key)).toBeUndefined();
          }
        }
        // Neither does one that lacks something else.
        const grantless = buildToken({ grantId: 'revoked' });
        const consume = [other, buildToken()].map(({ key }) => ({ key, at: now }));
        expect(await stores.engine.commit({ consume, tokens: [grantless] })).toMatchObject({ outcome: 'spent' });
        expect(await used(other)).toBeNull();
      });

      test('a token that is put again keeps that it was consumed', async () => {
        const token = buildToken();
        await stores.engine.commit({ tokens: [token] });
        await stores.engine.commit({ consume: [{ key: token.key, at: now, successor: { key: 'n', sealed: 'x' } }] });
        await stores.engine.commit({ tokens: [{ ...token, payload: '{"new":1}', expiresAt: null }] });
        expect((await stores.engine.readToken(token.key))?.token).toMatchObject({
          payload: '{"new":1}',
          expiresAt: null,
          consumedAt: now,
          successorKey: 'n',
          successorSealed: 'x',
        });
      });

      test('a token whose grant is gone commits nothing of its unit, and burns nothing', async () => {
        const old = buildToken();
        await stores.engine.commit({ tokens: [old] });
        const [token, grant] = [buildToken({ grantId: 'revoked' }), buildGrant()];
        const unit = { consume: [{ key: old.key, at: now }], tokens: [buildToken(), token], grants: [grant] };
        expect(await stores.engine.commit(unit)).toEqual({ outcome: 'spent', token: undefined });
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
        expect(await stores.engine.readGrant(grant.id)).toBeUndefined();
        expect((await stores.engine.readToken(old.key))?.token.consumedAt).toBeNull();
      });

      test('a session keeps its beginning when its key changes; the old key is dead', async () => {
        const session = buildSession();
        await stores.engine.commit({ sessions: [session] });
        const made = await stores.engine.readSessionByUid(session.uid);
        const moved = { ...session, key: name(), subject: 's', payload: '{"a":1}', before: session.payload };
        expect(await stores.engine.commit({ sessions: [moved] })).toEqual({ outcome: 'committed' });
        expect(await stores.engine.readSession(session.key, undefined)).toBeUndefined();
        expect((await stores.engine.readSession(moved.key, undefined))?.session).toMatchObject({
          subject: 's',
          payload: '{"a":1}',
          createdAt: made?.session.createdAt,
        });
        await stores.engine.commit({ sessions: [{ ...moved, key: name(), before: null }] });
        expect((await stores.engine.readSessionByUid(session.uid))?.session.createdAt).toBe(made?.session.createdAt);
      });

      test('a session that another request has changed in between is left to it; what stands beside it is written', async () => {
        const session = buildSession();
        await stores.engine.commit({ sessions: [session] });
        const theirs = { ...session, payload: '{"theirs":1}', before: session.payload };
        const ours = { ...session, payload: '{"ours":1}', before: session.payload };
        const token = buildToken();
        expect(await stores.engine.commit({ sessions: [theirs] })).toEqual({ outcome: 'committed' });
        expect(await stores.engine.commit({ sessions: [ours], tokens: [token] })).toEqual({
          outcome: 'committed',
          overtaken: true,
        });
        expect((await stores.engine.readSessionByUid(session.uid))?.session.payload).toBe('{"theirs":1}');
        expect((await stores.engine.readToken(token.key))?.token.key).toBe(token.key);
      });

      test('a session that has ended in between is not brought back, nor is anything beside it written', async () => {
        const session = buildSession();
        await stores.engine.commit({ sessions: [session] });
        await stores.engine.deleteSession(session.uid);
        const token = buildToken();
        const unit = { sessions: [{ ...session, before: session.payload }], tokens: [token] };
        expect(await stores.engine.commit(unit)).toEqual({ outcome: 'spent', token: undefined });
        expect(await stores.engine.readSessionByUid(session.uid)).toBeUndefined();
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
      });

      test('a unit alone is one round trip', async () => {
        const [old, grant] = [buildToken(), buildGrant()];
        await stores.engine.commit({ tokens: [old] });
        const before = stores.roundTrips();
        await stores.engine.commit({
          consume: [{ key: old.key, at: now }],
          grants: [grant],
          sessions: [buildSession()],
          tokens: [buildToken({ grantId: grant.id }), buildToken()],
        });
        expect(stores.roundTrips() - before).toBe(1);
      });

      test('once is once, until the row has expired', async () => {
        const row = buildToken({ kind: 'ReplayDetection', expiresAt: now + 10 });
        expect(await stores.engine.insertOnce(row, now)).toBe(true);
        expect(await stores.engine.insertOnce(row, now + 9)).toBe(false);
        expect(await stores.engine.insertOnce({ ...row, expiresAt: now + 20 }, now + 10)).toBe(true);
        expect(await stores.engine.insertOnce(row, now + 11)).toBe(false);
        const endless = buildToken({ expiresAt: null });
        expect(await stores.engine.insertOnce(endless, now)).toBe(true);
        expect(await stores.engine.insertOnce(endless, 2 ** 40)).toBe(false);
      });

      test('a deleted token is gone; deleting again does nothing', async () => {
        const token = buildToken();
        await stores.engine.commit({ tokens: [token] });
        await stores.engine.deleteToken(token.key);
        await stores.engine.deleteToken(token.key);
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
      });

      test('a revoked grant takes its tokens along and no others', async () => {
        const [grant, other] = [buildGrant(), buildGrant()];
        const [token, kept] = [buildToken({ grantId: grant.id }), buildToken({ grantId: other.id })];
        await stores.engine.commit({ grants: [grant, other], tokens: [token, kept] });
        await stores.engine.revokeGrant(grant.id);
        expect(await stores.engine.readGrant(grant.id)).toBeUndefined();
        expect(await stores.engine.readToken(token.key)).toBeUndefined();
        expect(await stores.engine.readToken(kept.key)).toMatchObject({ grant: { id: other.id } });
      });

      test('what a person allowed a client is taken back whole: consent, grants and tokens, and no one else’s', async () => {
        const [subject, clientId] = [name(), name()];
        const [grant, second] = [
          buildGrant({ subject, clientId }),
          buildGrant({ subject, clientId, expiresAt: now + 200 }),
        ];
        const others = [buildGrant({ subject }), buildGrant({ clientId })];
        const tokens = [grant, second, ...others].map(({ id, ...of }) =>
          buildToken({ subject: of.subject, clientId: of.clientId, grantId: id }),
        );
        await stores.engine.commit({ grants: [grant, second, ...others], tokens });
        const consent = { subject, clientId, scopes: [], claims: [], resources: {}, updatedAt: now };
        await stores.consents.put(consent);
        await stores.consents.put({ ...consent, clientId: 'c' });
        expect((await stores.engine.listGrants(subject, 10)).map(({ id }) => id)[0]).toBe(second.id);
        expect(await stores.engine.listGrants(subject, 10)).toHaveLength(3);
        expect(await stores.engine.listGrants(subject, 1)).toEqual([second]);

        expect(await stores.engine.revokeGrantsOf(subject, clientId)).toBe(true);
        expect(await stores.engine.revokeGrantsOf(subject, clientId)).toBe(false);
        const left = await Promise.all(tokens.map(({ key }) => stores.engine.readToken(key)));
        expect(left.map((bundle) => bundle !== undefined)).toEqual([false, false, true, true]);
        expect(await stores.engine.listGrants(subject, 10)).toEqual([others[0]]);
        expect((await stores.consents.list(subject)).map((row) => row.clientId)).toEqual(['c']);
        // Nothing but a consent, too.
        expect(await stores.engine.revokeGrantsOf(subject, 'c')).toBe(true);
        for (const odd of ['', 'a\0b', "' or 1=1 --"]) {
          expect(await stores.engine.revokeGrantsOf(odd, odd)).toBe(false);
          expect(await stores.engine.listGrants(odd, 10)).toEqual([]);
        }
      });

      test('ending all keeps the one session and what hangs on it', async () => {
        const subject = name();
        const [keptGrant, otherGrant] = [buildGrant({ subject }), buildGrant({ subject })];
        const kept = buildSession({ subject, grants: { c: keptGrant.id } });
        const other = buildSession({ subject, grants: { c: otherGrant.id } });
        const stranger = buildToken({ subject: name() });
        const [bySession, byGrant] = [
          buildToken({ subject, sessionUid: kept.uid }),
          buildToken({ subject, grantId: keptGrant.id }),
        ];
        const [ended, loose] = [
          buildToken({ subject, grantId: otherGrant.id, sessionUid: other.uid }),
          buildToken({ subject }),
        ];
        await stores.engine.commit({
          grants: [keptGrant, otherGrant],
          sessions: [kept, other],
          tokens: [stranger, bySession, byGrant, ended, loose],
        });
        await stores.engine.endAll(subject, kept.uid);
        for (const token of [stranger, bySession, byGrant])
          expect(await stores.engine.readToken(token.key)).toBeDefined();
        for (const token of [ended, loose]) expect(await stores.engine.readToken(token.key)).toBeUndefined();
        expect(await stores.engine.readSessionByUid(kept.uid)).toBeDefined();
        expect(await stores.engine.readSessionByUid(other.uid)).toBeUndefined();
        expect(await stores.engine.readGrant(otherGrant.id)).toBeUndefined();
        await stores.engine.endAll(subject);
        expect(await stores.engine.readSessionByUid(kept.uid)).toBeUndefined();
        expect(await stores.engine.readGrant(keptGrant.id)).toBeUndefined();
        expect(await stores.engine.readToken(byGrant.key)).toBeUndefined();
        expect(await stores.engine.readToken(stranger.key)).toBeDefined();
      });

      test('purging removes what has expired, at most so many of each kind', async () => {
        while ((await stores.engine.purgeExpired(100, 1000)) > 0);
        const tokens = [1, 2, 3].map((n) => buildToken({ expiresAt: n }));
        const [endless, live] = [buildToken({ expiresAt: null }), buildToken({ expiresAt: 100 })];
        await stores.engine.commit({
          tokens: [...tokens, endless, live],
          grants: [buildGrant({ expiresAt: 1 })],
          sessions: [buildSession({ expiresAt: 1 })],
        });
        await stores.links.insert(buildLink({ expiresAt: 1 }));
        expect(await stores.engine.purgeExpired(100, 2)).toBe(5);
        expect(await stores.engine.readToken(tokens[2]?.key ?? '')).toBeDefined();
        expect(await stores.engine.purgeExpired(100, 2)).toBe(1);
        expect(await stores.engine.purgeExpired(100, 2)).toBe(0);
        expect(await stores.engine.readToken(live.key)).toBeDefined();
        expect(await stores.engine.readToken(endless.key)).toBeDefined();
      });
    });

    describe('tokens that were ended by themselves', () => {
      // What counts as alive here is by the clock.
      const later = Math.floor(Date.now() / 1000) + 600;
      const live = async (clientId: string) =>
        (await stores.endedTokens.list(later - 600)).filter((token) => token.clientId === clientId);

      test('each is kept once, noted once, listed until it is over and purged then', async () => {
        const clientId = name();
        const token = { clientId, jti: 'j-1', until: later };
        const seq = await stores.changes.latest();
        expect(await stores.endedTokens.put(token, 10)).toBe('kept');
        expect(await stores.endedTokens.put(token, 10)).toBe('kept');
        expect(await live(clientId)).toEqual([token]);
        expect(await stores.changes.since(seq)).toMatchObject([{ kind: 'token', id: `${clientId} j-1 ${later}` }]);
        expect(await stores.endedTokens.list(later)).not.toContainEqual(token);
        await stores.engine.purgeExpired(later + 1, 1000);
        expect(await live(clientId)).toEqual([]);
      });

      test('a client has no more than it may; another of nearly the same name has its own', async () => {
        const clientId = name();
        const put = (id: string, jti: string) => stores.endedTokens.put({ clientId: id, jti, until: later }, 2);
        expect([await put(clientId, 'a'), await put(clientId, 'b'), await put(clientId, 'c')]).toEqual([
          ...['kept', 'kept', 'full'],
        ]);
        expect([await put(`${clientId}!`, 'a'), await put(`${clientId}-`, 'a')]).toEqual(['kept', 'kept']);
        expect((await live(clientId)).map(({ jti }) => jti).sort()).toEqual(['a', 'b']);
      });
    });

    describe('codes of devices', () => {
      const rule = { least: 0.8, step: 5 };

      test('a user code that another device shows is not taken until it has expired', async () => {
        const [row, again] = [buildDeviceCode(), buildDeviceCode()];
        const { deviceCodes } = stores;
        expect(await deviceCodes.insert(row, now)).toBe(true);
        await deviceCodes.claim(row.userCode, 'a browser');
        await deviceCodes.poll(row.tokenKey, 1_000, rule);
        expect(await deviceCodes.insert({ ...again, userCode: row.userCode }, row.expiresAt - 1)).toBe(false);
        expect(await deviceCodes.find(row.userCode)).toEqual({
          ...{ ...row, browser: 'a browser', polledAtMs: 1_000, early: false },
        });
        expect(await deviceCodes.insert({ ...again, userCode: row.userCode }, row.expiresAt)).toBe(true);
        expect(await deviceCodes.find(row.userCode)).toEqual({
          ...{ ...again, userCode: row.userCode, browser: null, polledAtMs: null, early: false },
        });
        expect(await deviceCodes.find('no such')).toBeUndefined();
      });

      test('the first browser claims a code, and may again', async () => {
        const { userCode } = buildDeviceCode();
        expect(await stores.deviceCodes.claim(userCode, 'a')).toBe(false);
        await stores.deviceCodes.insert(buildDeviceCode({ userCode }), now);
        const claims: boolean[] = [];
        for (const browser of ['a', 'b', 'a', '\0']) claims.push(await stores.deviceCodes.claim(userCode, browser));
        expect(claims).toEqual([true, false, true, false]);
      });

      test('an early poll raises the interval for good, and counts as a poll', async () => {
        const { tokenKey } = buildDeviceCode();
        await stores.deviceCodes.insert(buildDeviceCode({ tokenKey }), now);
        const paces: unknown[] = [];
        for (const at of [1_000, 5_000, 8_999, 16_999, 24_998, 40_998])
          paces.push(await stores.deviceCodes.poll(tokenKey, at, rule));
        expect(paces).toEqual([
          { early: false, interval: 5 },
          { early: false, interval: 5 },
          { early: true, interval: 10 },
          { early: false, interval: 10 },
          { early: true, interval: 15 },
          { early: false, interval: 15 },
        ]);
        expect(await stores.deviceCodes.poll('no such', 1, rule)).toBeUndefined();
      });

      test('expired codes are purged', async () => {
        const [old, live] = [buildDeviceCode({ expiresAt: 1 }), buildDeviceCode()];
        await stores.deviceCodes.insert(old, 0);
        await stores.deviceCodes.insert(live, 0);
        await stores.engine.purgeExpired(100, 1_000);
        expect(await stores.deviceCodes.find(old.userCode)).toBeUndefined();
        expect(await stores.deviceCodes.find(live.userCode)).toBeDefined();
      });
    });

    describe('consents, keys, audit, links, leases', () => {
      test('a consent is put, replaced, listed and removed', async () => {
        const subject = name();
        const consent = {
          subject,
          clientId: 'a',
          scopes: ['openid'],
          claims: ['email'],
          resources: { x: ['y'] },
          updatedAt: 1,
        };
        await stores.consents.put(consent);
        await stores.consents.put({ ...consent, scopes: [], updatedAt: 2 });
        await stores.consents.put({ ...consent, clientId: 'b' });
        expect(await stores.consents.find(subject, 'a')).toEqual({
          ...{ ...consent, scopes: [], updatedAt: 2 },
          ...{ createdAt: 1, lastUsedAt: null, snapshot: null },
        });
        await stores.consents.put({ ...consent, clientId: 'b', snapshot: 'shown' });
        expect(await stores.consents.find(subject, 'b')).toMatchObject({ snapshot: 'shown' });
        expect(await stores.consents.list(subject)).toHaveLength(2);
        expect(await stores.consents.remove(subject, 'a')).toBe(true);
        expect(await stores.consents.remove(subject, 'a')).toBe(false);
        expect(await stores.consents.find(subject, 'a')).toBeUndefined();
      });

      test('when a consent was last used moves forward only, and stays when the consent is put again', async () => {
        const [subject, other] = [name(), name()];
        const consent = { subject, clientId: 'a', scopes: [], claims: [], resources: {}, updatedAt: 1 };
        for (const clientId of ['a', '$b']) await stores.consents.put({ ...consent, clientId });
        await stores.consents.put({ ...consent, subject: other });
        const used = async (of: string, clientId: string) => (await stores.consents.find(of, clientId))?.lastUsedAt;
        const seq = await stores.changes.latest();
        await stores.consents.touch([]);
        await stores.consents.touch([
          { subject, clientId: 'a', at: 7 },
          { subject, clientId: '$b', at: 8 },
          { subject: name(), clientId: 'a', at: 9 },
        ]);
        await stores.consents.touch([{ subject, clientId: 'a', at: 6 }]);
        await stores.consents.put({ ...consent, updatedAt: 2 });
        expect([await used(subject, 'a'), await used(subject, '$b'), await used(other, 'a')]).toEqual([7, 8, null]);
        expect(await stores.changes.latest()).toBe(seq);
      });

      test('keys change only from the state that was seen', async () => {
        const seen = await stores.keys.list();
        const [next, current] = [buildKey(), buildKey({ status: 'current', currentAt: now })];
        const removes = seen.map(({ id }) => id);
        expect(await stores.keys.replace([...seen, { id: 'x', status: 'next' }], [next], [])).toBe(false);
        expect(await stores.keys.replace(seen, [next, current], removes)).toBe(true);
        expect(await stores.keys.list()).toEqual(expect.arrayContaining([next, current]));
        expect(await stores.keys.list()).toHaveLength(2);
        const turned = { ...next, status: 'current' as const, currentAt: now };
        expect(await stores.keys.replace([current, next], [turned], [current.id])).toBe(true);
        expect(await stores.keys.replace([current, next], [], [next.id])).toBe(false);
        expect(await stores.keys.list()).toEqual([turned]);
      });

      test('audit events come back by client, address, request and time, and by several of them', async () => {
        const [clientId, address, requestId] = [name(), name(), name()];
        const events = [
          buildEvent({ clientId, address, requestId, atMs: 10 }),
          buildEvent({ clientId, address, requestId: name(), atMs: 20 }),
          buildEvent({ clientId, address: name(), atMs: 30 }),
        ];
        await stores.audit.append(events);
        const times = async (filter: Parameters<typeof stores.audit.list>[0]) => {
          const listed = (await stores.audit.list(filter, 10)).map(({ atMs }) => atMs);
          expect((await stores.audit.walk(filter, 0, 10)).map(({ atMs }) => atMs).reverse()).toEqual(listed);
          return listed;
        };
        expect(await times({ clientId })).toEqual([30, 20, 10]);
        expect(await times({ address })).toEqual([20, 10]);
        expect(await times({ requestId })).toEqual([10]);
        expect(await times({ clientId, sinceMs: 20 })).toEqual([30, 20]);
        expect(await times({ clientId, untilMs: 20 })).toEqual([10]);
        expect(await times({ clientId, sinceMs: 11, untilMs: 30, address })).toEqual([20]);
        for (const wrong of [{ clientId: 'a\0' }, { address: '\0' }, { requestId: '\0' }])
          expect(await times(wrong)).toEqual([]);
      });

      test('audit events come back newest first, by person and by event', async () => {
        const subject = name();
        const events = [1, 2, 3].map((n) =>
          buildEvent({ subject, event: n === 2 ? 'b' : 'a', atMs: n, detail: { n }, clientId: 'x\0' }),
        );
        await stores.audit.append(events);
        await stores.audit.append([]);
        const found = await stores.audit.list({ subject }, 10);
        expect(found.map(({ atMs }) => atMs)).toEqual([3, 2, 1]);
        expect(found[0]).toEqual({ ...events[2], id: found[0]?.id, clientId: 'x\uFFFD' });
        const older = await stores.audit.list({ subject, before: found[0]?.id ?? 0 }, 10);
        expect(older).toEqual(found.slice(1));
        expect(await stores.audit.list({ subject, before: older[1]?.id ?? 0 }, 10)).toEqual([]);
        expect(await stores.audit.list({ subject, event: 'b' }, 10)).toHaveLength(1);
        expect(await stores.audit.list({ subject }, 2)).toHaveLength(2);
        const [oldest, middle, newest] = found.toReversed();
        expect(await stores.audit.walk({ subject }, 0, 10)).toEqual([oldest, middle, newest]);
        expect(await stores.audit.walk({ subject }, oldest?.id ?? 0, 1)).toEqual([middle]);
        expect(await stores.audit.walk({ subject }, newest?.id ?? 0, 10)).toEqual([]);
        await stores.audit.append(Array.from({ length: 1200 }, () => buildEvent({ event: 'many' })));
        expect(await stores.audit.list({ event: 'many' }, 5000)).toHaveLength(1000);
      });

      test('a link is found until it is taken', async () => {
        const link = buildLink();
        await stores.links.insert(link);
        expect(await stores.links.find(link.key)).toEqual(link);
        expect(await stores.links.take(link.key)).toEqual(link);
        expect(await stores.links.take(link.key)).toBeUndefined();
        expect(await stores.links.find(link.key)).toBeUndefined();
        const [a, b, c] = [buildLink({ purpose: 'p' }), buildLink({ purpose: 'p' }), buildLink({ purpose: 'q' })];
        for (const each of [a, b, c]) await stores.links.insert(each);
        await stores.links.removeAll('p');
        const [mine, theirs] = [buildLink({ subject: 's-1' }), buildLink({ subject: 's-2' })];
        for (const each of [mine, theirs]) await stores.links.insert(each);
        await stores.links.removeOf('s-1');
        expect(await stores.links.find(mine.key)).toBeUndefined();
        expect(await stores.links.find(theirs.key)).toEqual(theirs);
        expect(await Promise.all([a, b, c].map(({ key }) => stores.links.find(key)))).toEqual([
          undefined,
          undefined,
          c,
        ]);
      });

      test('a lease is one holder’s until it runs out or is given back', async () => {
        const { leases } = stores;
        const lease = name();
        expect(await leases.acquire(lease, 'a', 100, 0)).toBe(true);
        expect(await leases.acquire(lease, 'b', 100, 50)).toBe(false);
        expect(await leases.acquire(lease, 'a', 200, 50)).toBe(true);
        expect(await leases.acquire(lease, 'b', 300, 199)).toBe(false);
        expect(await leases.acquire(lease, 'b', 300, 200)).toBe(true);
        await leases.release(lease, 'a');
        expect(await leases.acquire(lease, 'a', 400, 250)).toBe(false);
        await leases.release(lease, 'b');
        expect(await leases.acquire(lease, 'a', 400, 250)).toBe(true);
      });
    });

    test('ping answers', async () => {
      await stores.ping();
    });
  });
}

const byId = (a: { readonly id: string } | undefined, b: { readonly id: string } | undefined) =>
  Buffer.compare(Buffer.from(a?.id ?? ''), Buffer.from(b?.id ?? ''));
