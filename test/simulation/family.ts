/** One person, one public client and the first refresh token of their family, on a running server. */
import { digest } from '../../src/base/secrets.ts';
import { Agent, codeOf, pkce, token } from '../support/agent.ts';
import { buildClient, buildPerson, type TestServer } from '../support/server.ts';
import { type Result, type Simulated, simulate } from './agents.ts';

/** The metadata of a client that decides how long its replaced tokens are forgiven. */
export type ReuseRule = { readonly refresh_reuse?: string; readonly refresh_reuse_seconds?: number };

/** Access tokens of these servers last longer than any stale copy. */
export const simulationEnv = { ACCESS_TOKEN_TTL: '3600', THROTTLE_ADDRESS_LIMIT: '100000' };

export type Plan = Omit<Simulated, 'first' | 'refresh' | 'setClock'>;

export interface FamilyResult extends Result {
  readonly clientId: string;
  readonly subject: string;
  /** Refresh tokens of the family that still work. */
  readonly live: readonly string[];
  readonly grants: number;
}

/** `setClock` gets milliseconds since the epoch. */
export async function runFamily(
  server: TestServer,
  rule: ReuseRule,
  plan: Plan,
  setClock: (now: number) => void,
): Promise<FamilyResult> {
  const begin = Math.ceil(Date.now() / 1000) * 1000;
  setClock(begin);
  const client = await buildClient(server, { token_endpoint_auth_method: 'none', ...rule });
  const person = await buildPerson(server);
  const { verifier, challenge } = pkce();
  const answer = await new Agent(server).authorize(person, {
    client_id: client.id,
    scope: 'openid offline_access',
    prompt: 'consent',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  const grant = { grant_type: 'authorization_code', code: codeOf(answer), code_verifier: verifier };
  const { body } = await token(server, client, grant);

  const result = await simulate({
    ...plan,
    first: String(body.refresh_token),
    async refresh(value) {
      const reply = await token(server, client, { grant_type: 'refresh_token', refresh_token: value });
      if (reply.status !== 200 && reply.body.error !== 'invalid_grant')
        throw new Error(`unexpected: ${reply.status} ${JSON.stringify(reply.body)}`);
      return {
        status: reply.status,
        refreshToken: reply.body.refresh_token,
        expiresIn: Number(reply.body.expires_in),
      };
    },
    setClock: (at) => setClock(begin + at),
  });
  const { engine } = server.core.stores;
  const rows = await Promise.all(result.generations.map((value) => engine.readToken(digest(value))));
  const live = result.generations.filter((_, n) => rows[n]?.token.consumedAt === null && rows[n]?.grant !== undefined);
  const grants = (await engine.listGrants(person.subject, 10)).length;
  return { ...result, clientId: client.id, subject: person.subject, live, grants };
}
