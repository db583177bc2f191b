/** Identities at other providers, for sign-in. Unique per provider and the provider's own subject. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');

  await knex.schema.createTable('identities', (table) => {
    name(table, 'id').primary();
    name(table, 'subject').notNullable().index();
    name(table, 'provider').notNullable();
    name(table, 'provider_subject').notNullable();
    table.text('label').notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('last_used_at');
    table.unique(['provider', 'provider_subject']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('identities');
}
