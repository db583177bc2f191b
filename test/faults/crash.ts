/** kill -9 in the middle of everything (security.md K1, K2). */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startChild } from '../support/child-server.ts';
import { openApiSessionTraffic } from './api-session-traffic.ts';
import { counted, type Means, median, type Scenario, type Verdict, worst } from './scenario.ts';
import { createTraffic, type Traffic } from './traffic.ts';
import { buildWorld, type World } from './world.ts';

type Open = (world: World) => Traffic | Promise<Traffic>;
const flows: Open = (world) => createTraffic(world, { workers: 10 });
const apiSessions: Open = (world) => openApiSessionTraffic(world, { workers: 10 });

export const crashes: readonly Scenario[] = [
  { name: 'kill-sqlite', run: (means) => killed(means, undefined, flows) },
  {
    name: 'kill-postgres',
    needs: ['postgres'],
    run: async (means) => killed(means, await means.postgres?.database(), flows),
  },
  { name: 'kill-first-party-sqlite', run: (means) => killed(means, undefined, apiSessions) },
  {
    name: 'kill-first-party-postgres',
    needs: ['postgres'],
    run: async (means) => killed(means, await means.postgres?.database(), apiSessions),
  },
];

async function killed(means: Means, databaseUrl: string | undefined, open: Open): Promise<Verdict> {
  const times = means.short ? 6 : 100;
  const world = await buildWorld({ databaseUrl });
  means.after(() => world.place.close());
  const traffic = await open(world);
  const starts: number[] = [];
  const failures: string[] = [];

  for (let time = 0; time < times; time += 1) {
    const server = await startChild(world.place);
    means.after(() => server.end());
    starts.push(server.startMs);
    failures.push(...(await traffic.verify()));
    traffic.start();
    await sleep(150 + Math.random() * (means.short ? 500 : 900));
    await server.end('SIGKILL');
    await traffic.stop();
  }
  const server = await startChild(world.place);
  means.after(() => server.end());
  starts.push(server.startMs);
  failures.push(...(await traffic.verify()));
  await server.end('SIGTERM');
  const forks = await forkedFamilies(world);
  if (forks > 0) failures.push(`${forks} grants or sessions have more than one living refresh token`);
  // The one that happened to start while this machine was busy elsewhere says nothing; most of them do.
  if (median(starts) > 2000 || worst(starts) > 10_000)
    failures.push(`a restart took ${median(starts)} ms, at most ${worst(starts)} ms`);
  const { acknowledged, cut, signIns } = traffic.figures;
  return {
    figures: `${times} kills, ${acknowledged} answers acknowledged (${signIns} sign-ins), ${cut} cut off, ready again in ${median(starts)} ms, at most ${worst(starts)} ms`,
    failures: counted([...failures, ...traffic.wrong]),
  };
}

const living = `select count(*) as n from (select kind from tokens
  where kind in ('RefreshToken', 'refresh:identity') and consumed_at is null
  group by kind, case when kind = 'RefreshToken' then grant_id else session_uid end having count(*) > 1) as forked`;

/** Each virtual client signs in with a browser of its own, so a grant is a family; at the doors a session is one. */
async function forkedFamilies({ place }: World): Promise<number> {
  if (place.kind === 'sqlite') {
    const database = new DatabaseSync(join(place.dataDir, 'gatehouse.sqlite'), { readOnly: true });
    const check = database.prepare('pragma integrity_check').get() as { integrity_check: string };
    if (check.integrity_check !== 'ok') throw new Error(`the database is damaged: ${check.integrity_check}`);
    const { n } = database.prepare(living).get() as { n: number };
    database.close();
    return n;
  }
  const client = new pg.Client({ connectionString: place.env.DATABASE_URL ?? '' });
  await client.connect();
  const { rows } = await client.query<{ n: string }>(living);
  await client.end();
  return Number(rows[0]?.n);
}
