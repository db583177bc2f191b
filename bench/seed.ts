/** Seeds the database that the environment names with users, clients and an API, and prints the clients. */
import { createApp } from '../src/app.ts';
import { nowSeconds } from '../src/base/clock.ts';
import { loadConfig } from '../src/config/load.ts';
import { openCore } from '../src/open-core.ts';
import { agentId, api, machine, password, personName, type Seeded, spa, web } from './clients.ts';

const loaded = loadConfig(process.env);
if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
const core = await openCore(loaded.config);
const { clients } = await createApp(core);

async function register(metadata: Record<string, unknown>): Promise<{ id: string; secret: string }> {
  const made = await clients.register(metadata, { origin: 'admin', owner: null });
  if (made.outcome !== 'registered') throw new Error(JSON.stringify(made));
  return { id: made.client.id, secret: made.secret ?? '' };
}

/** Stores a client as a document would describe it, so that no run depends on another server. */
async function describe(like: string): Promise<string> {
  const client = await core.stores.clients.find(like);
  if (!client) throw new Error('there is no client to copy');
  const now = nowSeconds();
  const document = { fetchedAt: now, freshUntil: now + 86_400, failingSince: null, ended: null };
  await core.stores.clients.insert({ ...client, id: agentId, origin: 'metadata', reviewedAt: null, document });
  return agentId;
}

const added = await core.apis.add({
  identifier: api.identifier,
  name: api.name,
  scopes: [{ name: api.scope, sentence: 'Read.' }],
});
if (added.outcome !== 'saved') throw new Error(JSON.stringify(added));
const registered = { machine: await register(machine), web: await register(web), spa: await register(spa) };
const seeded: Seeded = { ...registered, document: { id: await describe(registered.spa.id) } };
for (let index = 0; index < Number(process.env.BENCH_PEOPLE); index += 1) {
  const made = await core.accounts.create({
    username: personName(index),
    password,
    firstName: 'Bench',
    lastName: 'Person',
    email: `${personName(index)}@example.org`,
    verified: true,
    // One admin, so that the server does not print a set-up link.
    admin: index === 0,
  });
  if (made.outcome !== 'created') throw new Error(JSON.stringify(made));
}
await core.close();
process.stdout.write(`${JSON.stringify(seeded)}\n`);
