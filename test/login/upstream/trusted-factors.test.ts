/** `trust_mfa`: a provider's word for a second factor counts where it gave one, and nowhere else. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Agent } from '../../support/agent.ts';
import { enrol } from '../../support/authenticator.ts';
import { buildClient, type TestServer } from '../../support/server.ts';
import { describeStorages } from '../../support/storages.ts';
import { type ProviderServer, startProvider } from './provider-server.ts';
import { application, comeBackWith, isCodePage, isNew, leave, startWith, submitTo, unusual } from './world.ts';

const multi = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor';

describeStorages('a provider whose word for second factors is trusted', (storage) => {
  let provider: ProviderServer;
  let server: TestServer;
  let app: ReturnType<typeof application>;
  let subject: string;
  let code: Awaited<ReturnType<typeof enrol>>;

  const arrive = async (agent: Agent) =>
    comeBackWith(agent, await provider.answer(await leave(agent, await app.begin(agent))));

  beforeAll(async () => {
    provider = await startProvider();
    const member = { id: 'company', name: 'Example', type: 'oidc', issuer: provider.url, client_id: 'us' };
    server = await startWith(storage, () => [{ ...member, trust_mfa: true }]);
    app = application(server, await buildClient(server));
    const agent = new Agent(server);
    const page = await arrive(agent);
    expect(isNew(page)).toBe(true);
    const { id } = await app.claims(agent, await submitTo(agent, page, { upstream: 'create', username: unusual() }));
    subject = String(id.sub);
    code = await enrol(server.core.factors, subject);
  });
  afterEach(() => provider.reset());
  afterAll(async () => {
    await server?.close();
    await provider?.close();
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty list', []],
    ['a password', ['pwd']],
    ['a password and a PIN, which are of one kind', ['pwd', 'pin']],
    ['a code alone', ['otp']],
    ['two things that one has', ['otp', 'hwk', 'sms']],
    ['that a person was there', ['hwk', 'user']],
    ['two channels, which may be of one kind', ['pwd', 'mca']],
    ['a place and a risk', ['pwd', 'geo', 'rba']],
    ['words that are not registered', ['pwd', 'MFA', 'two-factor']],
    ['no list', 'mfa'],
  ])('%s is no second factor: the one here is asked for', async (_name, amr) => {
    provider.claims = { amr };
    const page = await arrive(new Agent(server));
    expect(isCodePage(page)).toBe(true);
  });

  test.each<[readonly string[], readonly string[]]>([
    [['mfa'], ['mfa']],
    [
      ['mfa', 'pwd'],
      ['mfa', 'pwd'],
    ],
    [
      ['pwd', 'otp'],
      ['otp', 'pwd', 'mfa'],
    ],
    [
      ['hwk', 'pin'],
      ['hwk', 'pin', 'mfa'],
    ],
    [
      ['fpt', 'swk'],
      ['fpt', 'swk', 'mfa'],
    ],
  ])('%j is two factors: no other is asked for, and applications hear of it', async (amr, said) => {
    provider.claims = { amr };
    const agent = new Agent(server);
    const { id } = await app.claims(agent, await arrive(agent));
    expect(id.sub).toBe(subject);
    expect([...(id.amr as string[])].sort()).toEqual([...said].sort());
    const wanted = { claims: JSON.stringify({ id_token: { acr: { essential: true, values: [multi] } } }) };
    const silent = await app.begin(agent, { ...wanted, prompt: 'none' });
    expect(new URL(silent.location ?? 'x:').searchParams.get('error')).toBeNull();
  });

  test('what is missing is given here, beside what was done there', async () => {
    provider.claims = { amr: ['pwd'] };
    const agent = new Agent(server);
    const page = await submitTo(agent, await arrive(agent), { code: code.fresh() });
    expect((await app.claims(agent, page)).id).toMatchObject({ sub: subject, amr: ['pwd', 'otp', 'mfa'] });
  });

  test('what userinfo says of it counts for nothing: only the ID token is signed for this sign-in', async () => {
    provider.userinfo = { sub: 'ada-1', amr: ['mfa'] };
    expect(isCodePage(await arrive(new Agent(server)))).toBe(true);
  });
});
