/** Registrations of clients that registered themselves, and the initial access tokens for that. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');
  await knex.schema.createTable('registrations', (table) => {
    name(table, 'client_id').primary();
    table.text('token_hash').notNullable();
    table.text('initial_token');
    table.text('policy');
    table.bigInteger('created_at').notNullable();
    table.bigInteger('last_used_at');
    // Expiry looks for unused clients by creation, and for idle ones by use.
    table.index(['last_used_at', 'created_at']);
  });
  // Clients that are left from a step back expire as others do; no registration access token has an empty hash.
  await knex.raw(
    `insert into registrations (client_id, token_hash, created_at, last_used_at)
     select id, '', created_at, updated_at from clients where origin = 'dynamic'`,
  );
  await knex.schema.createTable('initial_tokens', (table) => {
    name(table, 'id').primary();
    name(table, 'hash').notNullable().unique();
    table.text('label').notNullable();
    table.text('policy').notNullable();
    table.integer('uses_max');
    table.integer('uses').notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('expires_at');
    table.bigInteger('last_used_at');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('initial_tokens');
  await knex.schema.dropTable('registrations');
}
