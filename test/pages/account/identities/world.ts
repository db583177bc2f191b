/** What the suites about accounts elsewhere have in common: a server with two providers, and the steps of a person between them. */
import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { comeBackWith, isLogin, signInThere, startUpstream, startWith } from '../../../login/upstream/world.ts';
import { Agent, type Answer, csrfOf } from '../../../support/agent.ts';
import { comeBack } from '../../../support/flow.ts';
import { buildPerson, password, type TestServer } from '../../../support/server.ts';
import type { Storage } from '../../../support/storages.ts';

export const page = '/account/identities';

/** The end of the address of an answer, and of where it points. */
export const pathOf = (address: string | undefined): string => (address ? new URL(address).pathname : '');

/** Within a `describe`: its servers start before the tests and end after them. */
export function openIdentities(storage: Storage) {
  let upstream: TestServer;
  let server: TestServer;
  beforeAll(async () => {
    const there = await startUpstream();
    upstream = there.server;
    server = await startWith(storage, (issuer) =>
      Promise.all([there.provider(issuer), there.provider(issuer, 'second', { name: 'Second' })]),
    );
  });
  afterEach(comeBack);
  afterAll(async () => {
    await server?.close();
    await upstream?.close();
  });

  async function signedIn(agent = new Agent(server)) {
    const person = await buildPerson(server);
    const login = await agent.go(page);
    expect(isLogin(login)).toBe(true);
    await land(agent, await agent.submit(login, { username: person.username, password }));
    return { person, agent };
  }
  /** An agent stops where a code is in the address. */
  async function land(agent: Agent, answer: Answer): Promise<Answer> {
    return answer.location === undefined ? answer : agent.go(answer.location);
  }
  async function elsewhere() {
    return { person: await buildPerson(upstream), agent: new Agent(upstream) };
  }
  /** To the page that asks for a yes. */
  async function half(agent: Agent, there: Awaited<ReturnType<typeof elsewhere>>, id = 'company'): Promise<Answer> {
    const begun = await agent.go(`${page}/connect/${id}`);
    const back = await signInThere(there.agent, begun.location ?? '', there.person);
    return comeBackWith(agent, back);
  }
  const yes = (agent: Agent, confirm: Answer): Promise<Answer> =>
    agent.go(`${page}/connect`, { form: { csrf: csrfOf(confirm) } });
  const linked = (subject: string) => server.core.stores.identities.list(subject);

  return {
    /** Only within a test. */
    get server(): TestServer {
      return server;
    },
    ...{ signedIn, land, elsewhere, half, yes, linked },
  };
}
