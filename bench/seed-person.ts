/**
 * Gives the first person of the database that the environment names what gathers in some years: sessions, connected
 * applications, applications of their own, and events. The counts are those of docs/performance.md.
 */
import { createApp } from '../src/app.ts';
import { nowSeconds } from '../src/base/clock.ts';
import { digest } from '../src/base/secrets.ts';
import { loadConfig } from '../src/config/load.ts';
import type { SessionPut } from '../src/core/stores/engine.ts';
import { openCore } from '../src/open-core.ts';
import { personName, redirectUri } from './clients.ts';

const amounts = { sessions: 50, applications: 20, ownApplications: 5, events: 200 };
const day = 86_400;

const userAgents = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
];
const events = [
  'sign_in.succeeded',
  'sign_in.failed',
  'consent.granted',
  'sign_out',
  'account.profile_changed',
  'factor.renamed',
  'session.ended',
];

const loaded = loadConfig(process.env);
if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
const core = await openCore(loaded.config);
const { clients } = await createApp(core);
const account = await core.accounts.findByUsername(personName(0));
if (!account) throw new Error('there is no person to give it to');
const { subject } = account;
const now = nowSeconds();
const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const addressOf = (n: number) => (n % 3 === 0 ? `2001:db8:85a3::8a2e:${n}` : `192.0.2.${n}`);

function sessionOf(n: number): SessionPut {
  const uid = `bench-session-${n}`;
  return {
    key: digest(uid),
    uid,
    subject,
    payload: JSON.stringify({ kind: 'Session', uid, accountId: subject, loginTs: now - n * 3600, amr: ['pwd'] }),
    grants: {},
    sids: {},
    expiresAt: now + 10 * day,
    origin: { door: 'browser', clientId: null, address: addressOf(n), userAgent: userAgents[n % 3] ?? null },
    before: null,
  };
}

async function connect(n: number): Promise<void> {
  const metadata = {
    client_name: `Application ${n}`,
    client_uri: `https://app${n}.example.com/`,
    redirect_uris: [redirectUri],
  };
  const made = await clients.register(metadata, { origin: 'admin', owner: null });
  if (made.outcome !== 'registered') throw new Error(JSON.stringify(made));
  const scopes = ['openid', 'profile', 'email', 'offline_access'];
  await core.stores.consents.put({
    subject,
    clientId: made.client.id,
    scopes,
    claims: [],
    resources: {},
    updatedAt: now - n * day,
  });
}

const committed = await core.stores.engine.commit({ sessions: times(amounts.sessions, sessionOf) });
if (committed.outcome !== 'committed') throw new Error(`the sessions were not written: ${JSON.stringify(committed)}`);
for (const n of times(amounts.applications, (n) => n)) await connect(n);
for (const n of times(amounts.ownApplications, (n) => n)) {
  const metadata = { client_name: `Own application ${n}`, redirect_uris: [redirectUri] };
  const made = await clients.register(metadata, { origin: 'person', owner: subject });
  if (made.outcome !== 'registered') throw new Error(JSON.stringify(made));
}
await core.stores.audit.append(
  times(amounts.events, (n) => ({
    atMs: (now - n * 7 * 3600) * 1000,
    event: events[n % events.length] ?? '',
    subject,
    clientId: null,
    address: addressOf(n),
    requestId: `bench-${n}`,
    detail: { via: 'pages', userAgent: userAgents[n % 3] ?? '' },
  })),
);
await core.close();
