/**
 * A form of the sign-in that a finger sent twice: both posts lead to the same place, and the person is told of one
 * sign-in.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Agent, type Answer, csrfOf } from '../support/agent.ts';
import { enrol } from '../support/authenticator.ts';
import { mailsTo } from '../support/mail.ts';
import { buildClient, buildPerson, password, type TestServer } from '../support/server.ts';
import { describeStorages } from '../support/storages.ts';

describeStorages('a form of the sign-in, sent twice', (storage) => {
  let server: TestServer;
  let other: TestServer;
  let client: Awaited<ReturnType<typeof buildClient>>;
  beforeAll(async () => {
    const env = { THROTTLE_ADDRESS_LIMIT: '10000' };
    server = await storage.start(env);
    other = await storage.join(server, env);
    client = await buildClient(server, {}, 'register');
  });
  afterAll(() => server.close());

  type Person = Awaited<ReturnType<typeof buildPerson>>;
  const address = () =>
    `/oauth/authorize?${new URLSearchParams({ response_type: 'code', client_id: client.id, scope: 'openid' })}`;
  const isConsent = ({ text }: Answer): boolean => text.includes('value="allow"');
  const lettersTo = async ({ email }: Person, kind: string) =>
    (await Promise.all([server, other].map((node) => mailsTo(node, email ?? ''))))
      .flat()
      .filter((mail) => mail.kind === kind);

  /** The same form to each of these nodes; nothing is followed. */
  const twice = (agent: Agent, page: Answer, fields: Record<string, string>, nodes: readonly TestServer[]) => {
    const form = { csrf: csrfOf(page), ...fields };
    const path = new URL(page.url).pathname;
    return nodes.map((node) => () => agent.go(node.url + path, { form, follow: false }));
  };

  /** Both are sent on to one place, where the sign-in goes on, and one mail tells of it. */
  async function endsWell(agent: Agent, person: Person, answers: readonly Answer[]): Promise<void> {
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    expect(answers[0]?.location).toBe(answers[1]?.location);
    expect(isConsent(await agent.go(answers[1]?.location ?? ''))).toBe(true);
    expect(await lettersTo(person, 'new-sign-in')).toHaveLength(1);
  }

  async function begun(second: 'none' | 'app' | 'mail') {
    const person = await buildPerson(server);
    const app = second === 'app' ? await enrol(server.core.factors, person.subject) : undefined;
    if (second === 'mail') await server.core.factors.switchOn('email-code', person.subject);
    const agent = new Agent(server);
    const login = await agent.go(address());
    if (second === 'none') return { person, agent, page: login, fields: { username: person.username, password } };
    const page = await agent.submit(login, { username: person.username, password });
    const [mail] = await lettersTo(person, 'sign-in-code');
    const code = app?.fresh() ?? /\d{4} \d{4}/.exec(mail?.text ?? '')?.[0] ?? '';
    const fields: Record<string, string> = app ? { code } : { email_code: code };
    return { person, agent, page, fields };
  }

  for (const second of ['none', 'app', 'mail'] as const) {
    const what = { none: 'the password', app: 'a code of an app', mail: 'a code from a mail' }[second];

    test(`${what}: at once`, async () => {
      const { person, agent, page, fields } = await begun(second);
      const posts = twice(agent, page, fields, [server, server]);
      await endsWell(agent, person, await Promise.all(posts.map((post) => post())));
    });

    test(`${what}: at once, on two nodes`, async () => {
      const { person, agent, page, fields } = await begun(second);
      const posts = twice(agent, page, fields, [server, other]);
      await endsWell(agent, person, await Promise.all(posts.map((post) => post())));
    });

    test(`${what}: one after the other`, async () => {
      const { person, agent, page, fields } = await begun(second);
      const answers: Answer[] = [];
      for (const post of twice(agent, page, fields, [server, other])) answers.push(await post());
      await endsWell(agent, person, answers);
    });
  }

  test('two sign-ins of one person are two, and told as two', async () => {
    const { person, agent, page, fields } = await begun('none');
    await agent.submit(page, fields);
    const elsewhere = new Agent(server);
    await elsewhere.submit(await elsewhere.go(address()), fields);
    expect(await lettersTo(person, 'new-sign-in')).toHaveLength(2);
  });
});
