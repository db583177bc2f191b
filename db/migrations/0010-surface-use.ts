/** Indexes that answer whether an API surface is in use, without browser sessions and clients without tokens. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.raw("create index sessions_door_index on sessions (door) where door <> 'browser'");
  await knex.schema.raw("create index clients_tokens_index on clients (id) where tokens <> '[]'");
}

export async function down(knex: Knex): Promise<void> {
  for (const index of ['clients_tokens_index', 'sessions_door_index']) await knex.schema.raw(`drop index ${index}`);
}
