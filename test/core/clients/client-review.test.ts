/** Which clients are reviewed, and what an unreviewed one may be called. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClientRecord } from '../../../src/core/stores/clients.ts';
import { startServer, type TestServer } from '../../support/server.ts';

const web = { client_name: 'Bookshelf', redirect_uris: ['https://app.example.com/cb'] };
const reserved = {
  outcome: 'invalid',
  error: 'invalid_client_metadata',
  description: 'client_name is reserved for this server',
};

describe('the review of a client', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ env: { BRAND_NAME: 'Acme' } });
  });
  afterAll(() => server.close());

  async function make(origin: ClientRecord['origin'], metadata: object = web): Promise<ClientRecord> {
    const made = await server.app.clients.register(metadata, { origin, owner: null });
    if (made.outcome !== 'registered') throw new Error(made.description);
    return made.client;
  }
  const find = (id: string) => server.core.stores.clients.find(id);

  test('S11: what an operator makes is reviewed, what a person registers is not', async () => {
    for (const origin of ['register', 'admin', 'cli', 'built-in'] as const)
      expect((await make(origin)).reviewedAt).toEqual(expect.any(Number));
    const { id } = await make('person');
    expect((await find(id))?.reviewedAt).toBeNull();
    for (const { origin, reviewedAt } of await server.core.stores.clients.list('', 1000))
      if (origin === 'built-in') expect(reviewedAt).toEqual(expect.any(Number));
  });

  test('S11: a review holds until it is taken back, or until a person changes the client', async () => {
    const { clients } = server.app;
    const { id } = await make('person');
    const first = await clients.review(id);
    expect(first).toMatchObject({ outcome: 'updated', client: { reviewedAt: expect.any(Number) } });
    const reviewedAt = (await find(id))?.reviewedAt;
    await clients.review(id);
    expect(await clients.update(id, { ...web, client_name: 'Lending' }, 'cli')).toMatchObject({ outcome: 'updated' });
    await clients.rotateSecret(id);
    await clients.disable(id);
    await clients.enable(id);
    expect((await find(id))?.reviewedAt).toBe(reviewedAt);
    await clients.update(id, { ...web, client_name: 'Lending' }, 'person');
    expect((await find(id))?.reviewedAt).toBeNull();
    await clients.update(id, web, 'admin');
    expect((await find(id))?.reviewedAt).toBeNull();
    await clients.review(id);
    expect(await clients.unreview(id)).toMatchObject({ client: { reviewedAt: null } });
    expect(await clients.review('nobody')).toEqual({ outcome: 'unknown' });
    expect(await clients.unreview('nobody')).toEqual({ outcome: 'unknown' });
  });

  test('S11: at registration and at a change an unreviewed client cannot take a name of ours; a reviewed one can', async () => {
    const { clients } = server.app;
    const named = (client_name: string) => ({ ...web, client_name });
    for (const name of ['Acme', 'Acme Support', 'Gatehouse', 'Playground', 'Account security'])
      expect(await clients.register(named(name), { origin: 'person', owner: null })).toEqual(reserved);
    expect(await clients.register(named('Аcme'), { origin: 'person', owner: null })).toMatchObject({
      description: 'client_name must not mix alphabets within a word',
    });
    const { id } = await make('person');
    for (const by of ['person', 'cli', 'admin'] as const)
      expect(await clients.update(id, named('Acme'), by)).toEqual(reserved);
    expect((await find(id))?.metadata.client_name).toBe('Bookshelf');
    await clients.review(id);
    expect(await clients.update(id, named('Acme'), 'person')).toEqual(reserved);
    expect(await clients.update(id, named('Acme Support'), 'cli')).toMatchObject({ outcome: 'updated' });
    await make('register', named('Acme Admin'));
  });
});
