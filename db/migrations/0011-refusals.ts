/** Records of refused requests. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');
  await knex.schema.createTable('refusals', (table) => {
    name(table, 'reference').primary();
    table.bigInteger('at_ms').notNullable();
    table.bigInteger('last_ms').notNullable().index();
    table.integer('times').notNullable();
    table.text('endpoint').notNullable();
    name(table, 'client_id');
    name(table, 'scope').notNullable();
    table.text('address');
    name(table, 'network').notNullable();
    table.text('failed_check').notNullable();
    table.integer('status').notNullable();
    table.text('error').notNullable();
    table.text('expected');
    table.text('received');
    table.text('nearest');
    table.text('advice').notNullable();
    // Trimming counts by scope and network. A list shows one client, newest first.
    table.index(['scope', 'network', 'last_ms']);
    table.index(['client_id', 'last_ms']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('refusals');
}
