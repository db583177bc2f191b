/**
 * `clients update` and `client-secrets` beside two running servers: what a command changes, every node knows within a
 * second.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Agent } from '../support/agent.ts';
import { buildProofKey, proofOf, tokenWith } from '../support/dpop.ts';
import { eventually } from '../support/redis-server.ts';
import type { TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';
import { type CommandLine, commandLine } from './command-line.ts';

interface Shown {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly version: number;
  readonly redirect_uris: string[];
  readonly secrets: { readonly id: string; readonly name: string; readonly expires_at: number | null }[];
  readonly [member: string]: unknown;
}
interface AuditRecord {
  readonly detail: Record<string, unknown>;
}

describeStorages('the command line changes clients', (storage) => {
  let nodes: TestServer[];
  let cli: CommandLine;
  beforeAll(async () => {
    const first = await storage.start();
    nodes = [first, await storage.join(first)];
    cli = commandLine(first.env);
  });
  afterAll(() => nodes[0]?.close());

  const register = (...words: string[]) => cli.json<Shown>('clients', 'register', ...words);
  const update = (...words: string[]) => cli.json<Shown>('clients', 'update', ...words);
  const lastChange = async (id: string, event = 'client.updated') =>
    (await cli.json<{ records: AuditRecord[] }>('audit', 'list', '--client', id, '--event', event, '--limit', '1'))
      .records[0]?.detail;

  const authorizeStatus = async (node: TestServer, id: string, uri: string) => {
    const query = new URLSearchParams({ client_id: id, response_type: 'code', scope: 'openid', redirect_uri: uri });
    query.set('code_challenge', 'c'.repeat(43));
    query.set('code_challenge_method', 'S256');
    return (await new Agent(node).go(`/oauth/authorize?${query}`, { follow: false })).status;
  };
  async function tokenStatus(node: TestServer, id: string, secret = ''): Promise<number> {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret });
    return (await fetch(`${node.url}/oauth/token`, { method: 'POST', body })).status;
  }
  const onEveryNode = async (status: number, ask: (node: TestServer) => Promise<number>) => {
    for (const node of nodes) await eventually(`status ${status}`, async () => (await ask(node)) === status, 1000);
  };

  test('--dpop: from then on no node gives a token without a proof; --no-dpop takes it back', async () => {
    const callback = ['--redirect-uri', 'https://app.example.com/cb'];
    const grants = ['--grant-type', 'authorization_code', '--grant-type', 'client_credentials'];
    const { client_id: id, client_secret: secret } = await register('--name', 'Ledger', ...callback, ...grants);
    await onEveryNode(200, (node) => tokenStatus(node, id, secret));
    expect(await update(id, '--dpop')).toMatchObject({ dpop_bound_access_tokens: true, version: 2 });
    await onEveryNode(400, (node) => tokenStatus(node, id, secret));
    expect((await cli('clients', 'show', id)).out).toMatch(/DPoP +required\n/);
    const key = buildProofKey();
    const form = { grant_type: 'client_credentials' };
    const proof = proofOf(key, { url: `${nodes[0]?.core.config.issuer}/oauth/token` });
    const answer = await tokenWith(nodes[0] as TestServer, { id, secret: secret ?? '' }, form, proof);
    expect(answer.body.token_type).toBe('DPoP');
    expect(await update(id, '--no-dpop')).toMatchObject({ dpop_bound_access_tokens: false });
    await onEveryNode(200, (node) => tokenStatus(node, id, secret));
    expect((await cli('clients', 'show', id)).out).not.toContain('DPoP');
  });

  describe('clients update', () => {
    const [one, two] = ['https://app.example.com/cb', 'https://app.example.com/other'];

    test('a redirect URI added and removed takes effect on every node, with an audit record of both', async () => {
      const { client_id: id } = await register('web', '--name', 'Bookshelf', '--redirect-uri', one);
      expect(await update(id, '--add-redirect-uri', two)).toMatchObject({ redirect_uris: [one, two], version: 2 });
      await onEveryNode(303, (node) => authorizeStatus(node, id, two));
      expect(await update(id, '--remove-redirect-uri', one)).toMatchObject({ redirect_uris: [two], version: 3 });
      await onEveryNode(400, (node) => authorizeStatus(node, id, one));
      expect(await lastChange(id)).toEqual({
        via: 'cli',
        version: 3,
        members: ['redirect_uris'],
        before: { redirect_uris: [one, two] },
        after: { redirect_uris: [two] },
      });
    });

    test('name, scope, second factor, contacts; what is not named stays', async () => {
      const made = await register('web', '--name', 'Old', '--redirect-uri', one, '--scope', 'openid email');
      const id = made.client_id;
      const words = [
        '--name',
        'New',
        '--add-scope',
        'profile',
        '--remove-scope',
        'email',
        '--second-factor',
        'required',
      ];
      const changed = await update(id, ...words, '--contact', 'a@example.com', '--add-contact', 'b@example.com');
      expect(changed).toMatchObject({
        client_name: 'New',
        scope: 'openid profile',
        second_factor: 'required',
        contacts: ['a@example.com', 'b@example.com'],
        redirect_uris: [one],
      });
      const unset = await update(id, '--unset', 'second_factor', '--unset', 'contacts', '--unset', 'scope');
      for (const member of ['second_factor', 'contacts', 'scope']) expect(unset).not.toHaveProperty(member);
      const words2 = await cli('clients', 'update', id, '--name', 'Newest');
      expect(words2).toMatchObject({ code: 0, out: expect.stringMatching(/^Changed client_name of Newest\.\n/) });
    });

    test('the reuse of refresh tokens: a new rule drops the seconds of the old one, seconds alone mean a window', async () => {
      const made = await register('spa', '--name', 'Agent', '--redirect-uri', one, '--refresh-reuse-seconds', '900');
      expect(made).toMatchObject({ refresh_reuse: 'window', refresh_reuse_seconds: 900 });
      const id = made.client_id;
      const shown = (await cli('clients', 'show', id)).out;
      expect(shown).toMatch(/Refresh reuse +window, 900 seconds\n/);
      const strict = await update(id, '--refresh-reuse', 'strict');
      expect([strict.refresh_reuse, strict.refresh_reuse_seconds]).toEqual(['strict', undefined]);
      const longer = await update(id, '--refresh-reuse', 'window', '--refresh-reuse-seconds', '300');
      expect(longer).toMatchObject({ refresh_reuse: 'window', refresh_reuse_seconds: 300 });
      expect(await update(id, '--refresh-reuse', 'until-used')).toMatchObject({ refresh_reuse: 'until-used' });
      const both = await cli('clients', 'update', id, '--refresh-reuse', 'strict', '--refresh-reuse-seconds', '5');
      expect(both).toMatchObject({ code: 2, err: expect.stringContaining('cannot be combined') });
      const longest = await cli('clients', 'update', id, '--refresh-reuse-seconds', '901');
      expect(longest).toMatchObject({ code: 2, err: expect.stringContaining('900') });
      const secret = await cli('clients', 'update', id, '--auth-method', 'client_secret_basic');
      expect(secret).toMatchObject({ code: 1, err: expect.stringContaining('refresh_reuse is for public clients') });
      const none = await update(id, '--auth-method', 'client_secret_basic', '--unset', 'refresh_reuse');
      expect(none).not.toHaveProperty('refresh_reuse');
    });

    test('a file is merged (RFC 7396): null removes; client_id and client_secret must be right', async () => {
      const made = await register(
        'web',
        '--name',
        'File',
        '--redirect-uri',
        one,
        '--policy-uri',
        'https://app.example.com/p',
      );
      const id = made.client_id;
      const fed = (content: object) =>
        cli.fed(JSON.stringify(content), 'clients', 'update', id, '--file', '-', '--json');
      const changed = JSON.parse((await fed({ policy_uri: null, client_uri: 'https://app.example.com/' })).out);
      expect(changed).toMatchObject({ client_name: 'File', client_uri: 'https://app.example.com/' });
      expect(changed).not.toHaveProperty('policy_uri');
      expect((await fed({ client_id: 'another', client_name: 'X' })).code).toBe(2);
      const other = await fed({ client_secret: 'q7Hc2VnXz0LrT9wYbK4sJ8dFgM3pA1eU', client_name: 'X' });
      expect([other.code, JSON.parse(other.err).error]).toEqual([1, 'secret_not_changed']);
      expect((await fed({ client_id: id, client_secret: made.client_secret, client_name: 'Right' })).code).toBe(0);
      expect(await lastChange(id)).not.toHaveProperty('client_secret');
      expect(await cli.json('clients', 'show', id)).toMatchObject({ client_name: 'Right' });
    });

    test('what show prints changes nothing when it is given back, also of a disabled application', async () => {
      const made = await register('web', '--name', 'Same', '--redirect-uri', one, '--second-factor', 'required');
      const id = made.client_id;
      await cli.json('clients', 'disable', id);
      const shown = (await cli('clients', 'show', id, '--json')).out;
      const same = await cli.fed(shown, 'clients', 'update', id, '--file', '-');
      expect(same).toMatchObject({ code: 0, err: '', out: `Nothing of Same (${id}) is different.\n` });
      await cli.json('clients', 'enable', id);
      const enabled = await cli.json<Shown>('clients', 'show', id);
      const content = JSON.stringify({ ...JSON.parse(shown), version: enabled.version });
      const other = await cli.fed(content, 'clients', 'update', id, '--file', '-');
      expect(other.err).toBe('Not used: disabled_at. See: clients disable\n');
    });

    test('made public it loses its secrets, on every node; made confidential again it gets a new one', async () => {
      const made = await register('--name', 'Machine', '--grant-type', 'client_credentials');
      const [id, secret] = [made.client_id, made.client_secret];
      await onEveryNode(200, (node) => tokenStatus(node, id, secret));
      const grants = ['--grant-type', 'authorization_code', '--redirect-uri', one];
      expect(await update(id, '--public', ...grants)).toMatchObject({
        token_endpoint_auth_method: 'none',
        response_types: ['code'],
        require_pkce: true,
        secrets: [],
      });
      expect(await lastChange(id)).toMatchObject({ secrets_dropped: 1 });
      const back = [
        '--auth-method',
        'client_secret_basic',
        '--grant-type',
        'client_credentials',
        '--unset',
        'redirect_uris',
      ];
      const again = await update(id, ...back);
      expect(again.client_secret).toMatch(/^[\w-]{43}$/);
      await onEveryNode(200, (node) => tokenStatus(node, id, again.client_secret));
      await onEveryNode(401, (node) => tokenStatus(node, id, secret));
      expect(JSON.stringify(await lastChange(id))).not.toContain(again.client_secret);
    });

    test('changes at the same time: none is lost; with a version the second is told', async () => {
      const { client_id: id } = await register('web', '--name', 'Busy', '--redirect-uri', one);
      const added = Array.from({ length: 4 }, (_, n) => `https://app.example.com/${n}`);
      await Promise.all([
        ...added.map((uri) => update(id, '--add-redirect-uri', uri)),
        update(id, '--name', 'Busier'),
        cli.json('clients', 'rotate', id),
      ]);
      const shown = await cli.json<Shown>('clients', 'show', id);
      expect(shown).toMatchObject({ client_name: 'Busier', version: 7 });
      expect(shown.redirect_uris.toSorted()).toEqual([one, ...added].toSorted());

      const stale = await cli('clients', 'update', id, '--name', 'Stale', '--if-version', '6', '--json');
      expect([stale.code, JSON.parse(stale.err)]).toEqual([
        1,
        {
          error: 'conflict',
          version: 7,
          message: expect.stringContaining('it has version 7, not 6. Nothing was changed'),
        },
      ]);
      // What show printed before is of that version as well.
      await update(id, '--name', 'Between');
      const old = await cli.fed(
        JSON.stringify({ ...shown, client_uri: 'https://a.example.com/' }),
        'clients',
        'update',
        id,
        '--file',
        '-',
      );
      expect([old.code, old.err]).toEqual([1, expect.stringContaining('version 8, not 7')]);
      expect(await cli.json('clients', 'show', id)).toMatchObject({ client_name: 'Between' });
      expect(await update(id, '--name', 'Right', '--if-version', '8')).toMatchObject({ version: 9 });
    });

    test('what is not allowed is refused as at registration, and nothing is changed', async () => {
      const { client_id: id } = await register('web', '--name', 'Strict', '--redirect-uri', one);
      const before = await cli.json('clients', 'show', id);
      for (const [words, code, why] of [
        [['--redirect-uri', 'http://app.example.com/cb'], 1, 'https'],
        [['--remove-redirect-uri', one], 1, 'redirect_uris'],
        [['--remove-redirect-uri', two], 2, 'there is no such value'],
        [['--grant-type', 'refresh_token'], 1, 'refresh_token'],
        [['--unset', 'redirect_uris'], 1, 'redirect_uris'],
      ] as const) {
        const refused = await cli('clients', 'update', id, ...words);
        expect([words, refused.code, refused.err]).toEqual([words, code, expect.stringContaining(why)]);
      }
      expect(await cli.json('clients', 'show', id)).toEqual(before);
      expect((await cli('clients', 'update', 'no-such-client', '--name', 'X')).code).toBe(1);
      const ours = await cli('clients', 'update', 'gatehouse-account', '--name', 'X', '--json');
      expect(JSON.parse(ours.err)).toMatchObject({ error: 'built_in' });
    });
  });

  describe('client-secrets', () => {
    const machine = () => register('service', '--name', 'Report');
    const add = (id: string, ...words: string[]) =>
      cli.json<{ id: string; client_secret: string; expires_at: number | null }>('client-secrets', 'add', id, ...words);

    test('several work at a time, each with a name and an end; a removed one is refused on every node', async () => {
      const { client_id: id, client_secret: first } = await machine();
      const second = await add(id, '--name', 'second data centre', '--days', '30');
      expect(second).toMatchObject({ client_id: id, name: 'second data centre', expires_at: expect.any(Number) });
      for (const secret of [first, second.client_secret])
        await onEveryNode(200, (node) => tokenStatus(node, id, secret));
      const listed = await cli.json<{ id: string; name: string }[]>('client-secrets', 'list', id);
      expect(listed.map(({ name }) => name)).toEqual(['second data centre', '']);
      expect((await cli('client-secrets', 'list', id)).out).toMatch(
        /^ID +NAME +MADE +WORKS UNTIL\n\S+ +second data centre/,
      );
      const { code, out } = await cli('client-secrets', 'list', id, '--json');
      expect([code, out.includes('hash')]).toEqual([0, false]);

      await cli.json('client-secrets', 'remove', id, listed[1]?.id ?? '');
      await onEveryNode(401, (node) => tokenStatus(node, id, first));
      await onEveryNode(200, (node) => tokenStatus(node, id, second.client_secret));
      const last = await cli('client-secrets', 'remove', id, second.id, '--json');
      expect([last.code, JSON.parse(last.err).error]).toEqual([1, 'last_secret']);
      expect(await lastChange(id, 'client.secret_added')).toEqual({
        via: 'cli',
        secret: second.id,
        name: 'second data centre',
      });
      expect(await lastChange(id, 'client.secret_removed')).toEqual({ via: 'cli', secret: listed[1]?.id });
    });

    test('rotate replaces the one without a name, or the named one, and leaves the others', async () => {
      const { client_id: id, client_secret: first } = await machine();
      const named = await add(id, '--name', 'other');
      const rotated = await cli.json<Shown>('clients', 'rotate', id);
      for (const secret of [first, named.client_secret, rotated.client_secret])
        await onEveryNode(200, (node) => tokenStatus(node, id, secret));
      const ends = new Map(rotated.secrets.map((secret) => [secret.name, secret.expires_at]));
      expect(ends.get('other')).toBeNull();
      const again = await cli('clients', 'rotate', id, '--name', 'other');
      expect(again.out).toContain('2 secrets with other names: unchanged.');
      expect((await cli('clients', 'rotate', id, '--name', 'nothing')).code).toBe(1);
    });

    test('at most ten at a time; a name is needed; a public client has none', async () => {
      const { client_id: id } = await machine();
      const client = await nodes[0]?.core.stores.clients.find(id);
      const [secret] = client?.secrets ?? [];
      if (!client || !secret) throw new Error('no client');
      const ten = Array.from({ length: 10 }, (_, n) => ({ ...secret, name: `n${n}` }));
      await nodes[0]?.core.stores.clients.update({ ...client, secrets: ten, version: client.version + 1 });
      const eleventh = await cli('client-secrets', 'add', id, '--name', 'more', '--json');
      expect([eleventh.code, JSON.parse(eleventh.err).error]).toEqual([1, 'too_many']);
      expect((await cli('client-secrets', 'add', id)).code).toBe(2);
      const spa = await register('spa', '--name', 'S', '--redirect-uri', 'https://app.example.com/cb');
      const none = await cli('client-secrets', 'add', spa.client_id, '--name', 'x', '--json');
      expect(JSON.parse(none.err)).toMatchObject({ error: 'no_secret' });
    });
  });
});
