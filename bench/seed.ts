/** Seeds the database that the environment names with users, clients and an API, and prints the clients. */
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config/load.ts';
import { openCore } from '../src/open-core.ts';
import { api, machine, password, personName, type Seeded, spa, web } from './clients.ts';

const loaded = loadConfig(process.env);
if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
const core = await openCore(loaded.config);
const { clients } = await createApp(core);

async function register(metadata: Record<string, unknown>): Promise<{ id: string; secret: string }> {
  const made = await clients.register(metadata, { origin: 'admin', owner: null });
  if (made.outcome !== 'registered') throw new Error(JSON.stringify(made));
  return { id: made.client.id, secret: made.secret ?? '' };
}

const added = await core.apis.add({
  identifier: api.identifier,
  name: api.name,
  scopes: [{ name: api.scope, sentence: 'Read.' }],
});
if (added.outcome !== 'saved') throw new Error(JSON.stringify(added));
const seeded: Seeded = { machine: await register(machine), web: await register(web), spa: await register(spa) };
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
