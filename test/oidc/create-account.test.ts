/** P13: prompt=create leads to the sign-up page (Initiating User Registration via OpenID Connect 1.0). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomToken } from '../../src/base/secrets.ts';
import { Agent, type Answer, codeOf, csrfOf, pkce } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { claimsOf, codeFor, redeem } from '../support/flow.ts';
import { buildClient, buildPerson, password, startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let client: Awaited<ReturnType<typeof buildClient>>;
beforeAll(async () => {
  server = await startServer();
  client = await buildClient(server);
});
afterAll(() => server.close());

const { verifier, challenge } = pkce();
function begin(agent: Agent, parameters: Record<string, string> = {}, of = client): Promise<Answer> {
  const asked = { client_id: of.id, response_type: 'code', scope: 'openid profile', code_challenge: challenge };
  const all = { ...asked, code_challenge_method: 'S256', state: 's', prompt: 'create', ...parameters };
  return agent.go(`/oauth/authorize?${new URLSearchParams(all)}`);
}
const isSignUp = ({ text }: Answer) =>
  /action="[^"]+\/sign-up"/.test(text) && text.includes('autocomplete="new-password"');
const isLogin = ({ text }: Answer) => text.includes('autocomplete="current-password');
const isConsent = ({ text }: Answer) => text.includes('value="allow"');
const formOf = ({ text }: Answer) => /<form[^>]* action="([^"]+)"/.exec(text)?.[1] ?? '';
const signInOf = ({ text }: Answer) => /href="(\/interaction\/[^"]+)"/.exec(text)?.[1] ?? '';
const newcomer = () => ({ username: `made-${randomToken(6).replace(/[^A-Za-z0-9]/g, 'x')}`, password });

/** Fills in the form that the page shows, at the form's own address. */
const send = (agent: Agent, page: Answer, fields: Record<string, string>): Promise<Answer> =>
  agent.go(formOf(page), { form: { csrf: csrfOf(page), ...fields } });

async function subjectOf(answer: Answer): Promise<unknown> {
  const grant = { code: codeOf(answer), code_verifier: verifier };
  return claimsOf((await redeem(server, client, grant)).body.id_token).sub;
}
const accountOf = (username: string) => server.core.accounts.findByUsername(username);

/** Whether this server takes mail addresses decides on a field of the page. */
const email = (page: Answer, { username }: { username: string }) =>
  page.text.includes('name="email"') ? { email: `${username}@example.org` } : {};

test('P13: a new account is made, and goes on to the application', async () => {
  const [agent, person] = [new Agent(server), newcomer()];
  const page = await begin(agent);
  expect([page.status, isSignUp(page)]).toEqual([200, true]);
  // A mistake shows the form again.
  const wrong = await send(agent, page, { ...person, ...email(page, person), password: 'short' });
  expect([wrong.status, isSignUp(wrong)]).toEqual([422, true]);
  const consent = await send(agent, wrong, { ...person, ...email(page, person) });
  expect(isConsent(consent)).toBe(true);
  const answer = await agent.submit(consent, { answer: 'allow' });
  expect(new URL(answer.location ?? '').searchParams.get('state')).toBe('s');
  expect(await subjectOf(answer)).toBe((await accountOf(person.username))?.subject);
});

test('P13: a person who has an account signs in instead, with a second factor, and is not asked for another account', async () => {
  const [agent, person] = [new Agent(server), await buildPerson(server)];
  const app = await enrol(server.core.factors, person.subject);
  const login = await agent.go(signInOf(await begin(agent)));
  expect([isLogin(login), isSignUp(login)]).toEqual([true, false]);
  const wrong = await send(agent, login, { username: person.username, password: 'not the password at all' });
  expect([wrong.status, isLogin(wrong)]).toEqual([422, true]);
  const second = await send(agent, wrong, { username: person.username, password });
  const consent = await agent.submit(second, { code: app.fresh() });
  expect(isConsent(consent)).toBe(true);
  expect(await subjectOf(await agent.submit(consent, { answer: 'allow' }))).toBe(person.subject);
});

test('P13: a person who is signed in is shown it too; who cancels there stays who they are', async () => {
  const { agent, person } = await codeFor(server, client, { scope: 'openid profile' });
  const cancelled = await agent.submit(await begin(agent), { answer: 'cancel' });
  expect(new URL(cancelled.location ?? '').searchParams.get('error')).toBe('access_denied');
  expect(await subjectOf(await begin(agent, { prompt: 'none' }))).toBe(person.subject);

  const other = newcomer();
  const page = await begin(agent);
  // The one who was signed in is signed out first, as at any sign-in as another person.
  const handing = await send(agent, page, { ...other, ...email(page, other) });
  const consent = await agent.confirmLogout(handing);
  const made = await subjectOf(await agent.submit(consent, { answer: 'allow' }));
  expect(made).toBe((await accountOf(other.username))?.subject);
  expect(made).not.toBe(person.subject);
  expect(await subjectOf(await begin(agent, { prompt: 'none' }))).toBe(made);
});

describe('P13: together with other values', () => {
  test.each(['create login', 'select_account create', 'login create select_account'])(
    '%s: what is made or signed in to answers them all',
    async (prompt) => {
      const [agent, person] = [new Agent(server), newcomer()];
      const page = await begin(agent, { prompt });
      expect(isSignUp(page)).toBe(true);
      const consent = await send(agent, page, { ...person, ...email(page, person) });
      expect(isConsent(consent)).toBe(true);
      expect(codeOf(await agent.submit(consent, { answer: 'allow' }))).not.toBe('');
    },
  );

  test('create consent: the account, then the consent, which is asked although nothing is new', async () => {
    const never = await buildClient(server, { consent: 'never' });
    const [agent, person] = [new Agent(server), newcomer()];
    const page = await begin(agent, { prompt: 'create consent' }, never);
    expect(isConsent(await send(agent, page, { ...person, ...email(page, person) }))).toBe(true);
  });

  test('create none is invalid_request, as none with any other value is', async () => {
    const { location = '' } = await begin(new Agent(server), { prompt: 'none create' });
    expect(new URL(location).searchParams.get('error')).toBe('invalid_request');
  });
});

describe('P13: discovery, by SIGN_UP', () => {
  const offered = async (of: TestServer) => {
    const metadata = (await (await fetch(`${of.url}/.well-known/openid-configuration`)).json()) as {
      prompt_values_supported: string[];
    };
    return metadata.prompt_values_supported;
  };

  test('open: it is offered', async () => {
    expect(await offered(server)).toEqual(['none', 'login', 'consent', 'select_account', 'create']);
  });

  test.each(['invite', 'off'])('%s: it is not, and is refused as any unknown value', async (SIGN_UP) => {
    const closed = await startServer({ env: { SIGN_UP } });
    try {
      expect(await offered(closed)).toEqual(['none', 'login', 'consent', 'select_account']);
      const its = await buildClient(closed);
      const { location = '' } = await begin(new Agent(closed), {}, its);
      const answer = new URL(location).searchParams;
      expect([answer.get('error'), answer.get('state')]).toEqual(['invalid_request', 's']);
      const reference = answer.get('error_uri')?.split('/').at(-1) ?? '';
      expect(await closed.core.refusals.find(reference)).toMatchObject({ check: 'parameter_invalid' });
    } finally {
      await closed.close();
    }
  });
});
