/**
 * The baseline of all ratios: plain oidc-provider on a Map, with the same routes, clients, scopes and algorithms as the
 * server. It has no persistence, does not hash stored values, and has none of the server's own checks.
 */
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { createServer } from 'node:http';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { createBareFirstParty } from './bare-first-party.ts';
import { api, machine, type Seeded, spa, web } from './clients.ts';

const stored = new Map<string, AdapterPayload>();
const byGrant = new Map<string, string[]>();
const byUid = new Map<string, string>();

function mapAdapter(model: string): Adapter {
  const find = async (id: string) => stored.get(`${model}:${id}`);
  return {
    find,
    findByUid: async (uid) => find(byUid.get(uid) ?? ''),
    findByUserCode: async () => undefined,
    async upsert(id, payload) {
      const key = `${model}:${id}`;
      stored.set(key, payload);
      if (model === 'Session' && payload.uid) byUid.set(payload.uid, id);
      if (payload.grantId && model !== 'Session') {
        const keys = byGrant.get(payload.grantId);
        if (keys) keys.push(key);
        else byGrant.set(payload.grantId, [key]);
      }
    },
    async consume(id) {
      const payload = await find(id);
      if (payload) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      stored.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const key of byGrant.get(grantId) ?? []) stored.delete(key);
      byGrant.delete(grantId);
    },
  };
}

function jwk(pair: { privateKey: { export(options: { format: 'jwk' }): JsonWebKey } }, kid: string, alg: string) {
  return { ...pair.privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

// oidc-provider warns about its development pages, which sign in the benchmark's users.
console.warn = () => {};

const day = 86_400;
const port = Number(process.env.PORT);
const provider = new Provider(`http://localhost:${port}`, {
  adapter: mapAdapter,
  jwks: {
    keys: [
      jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ec', 'ES256'),
      jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'rsa', 'RS256'),
    ] as never,
  },
  routes: {
    authorization: '/oauth/authorize',
    pushed_authorization_request: '/oauth/par',
    token: '/oauth/token',
    userinfo: '/oauth/userinfo',
    jwks: '/oauth/jwks',
    introspection: '/oauth/introspect',
    revocation: '/oauth/revoke',
    end_session: '/oauth/logout',
    device_authorization: '/oauth/device',
    code_verification: '/device',
  },
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  responseTypes: ['code'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  cookies: { keys: ['bench'] },
  features: {
    clientCredentials: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, _client, oneOf) => oneOf ?? (undefined as never),
      getResourceServerInfo: (_ctx, audience) => ({
        scope: api.scope,
        audience,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      }),
      useGrantedResource: () => false,
    },
  },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    ClientCredentials: 3600,
    DeviceCode: 600,
    Grant: 30 * day,
    IdToken: 3600,
    Interaction: 3600,
    RefreshToken: 14 * day,
    Session: 14 * day,
  },
});

const seeded: Seeded = {
  machine: { id: 'machine', secret: 's'.repeat(43) },
  web: { id: 'web', secret: 's'.repeat(43) },
  spa: { id: 'spa' },
};
for (const client of [
  // In client metadata, the engine accepts only its own scopes.
  { ...machine, scope: undefined, client_id: seeded.machine.id, client_secret: seeded.machine.secret },
  { ...web, client_id: seeded.web.id, client_secret: seeded.web.secret },
  { ...spa, client_id: seeded.spa.id },
]) {
  stored.set(`Client:${client.client_id}`, JSON.parse(JSON.stringify(client)));
}

const engine = provider.callback();
const apiSessions = await createBareFirstParty();
const server = createServer((req, res) => void (apiSessions(req, res) || engine(req, res)));
server.listen(port, '127.0.0.1', () => process.stdout.write(`${JSON.stringify(seeded)}\n`));
server.keepAliveTimeout = 65_000;
process.on('SIGTERM', () => process.exit(0));
