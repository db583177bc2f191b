/** Stores origin and last use of a session, so browser and API sessions form one list. Adds the tokens of clients. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.AlterTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');

  await knex.schema.alterTable('sessions', (table) => {
    name(table, 'door').notNullable().defaultTo('browser');
    name(table, 'client_id');
    table.text('address');
    table.text('user_agent');
    table.bigInteger('last_seen_at');
  });
  await knex.schema.raw('create index sessions_client_id_index on sessions (client_id) where client_id is not null');
  await knex.schema.raw('create index sessions_newest_index on sessions (subject, created_at, uid)');
  await knex.schema.alterTable('sessions', (table) => table.dropIndex('subject', 'sessions_subject_index'));

  await knex.schema.alterTable('clients', (table) => {
    table.text('tokens').notNullable().defaultTo('[]');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('clients', (table) => table.dropColumn('tokens'));
  await knex('sessions').whereNot({ door: 'browser' }).delete();
  await knex.schema.alterTable('sessions', (table) => table.index('subject', 'sessions_subject_index'));
  for (const index of ['sessions_newest_index', 'sessions_client_id_index'])
    await knex.schema.raw(`drop index ${index}`);
  for (const column of ['door', 'client_id', 'address', 'user_agent', 'last_seen_at']) {
    await knex.schema.alterTable('sessions', (table) => table.dropColumn(column));
  }
}
