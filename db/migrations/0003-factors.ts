/** Second factors and recovery codes. `failures`: consecutive wrong codes. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');

  await knex.schema.createTable('factors', (table) => {
    name(table, 'id').primary();
    name(table, 'subject').notNullable().index();
    table.text('kind').notNullable();
    table.text('name').notNullable();
    table.text('secret').notNullable();
    table.text('state').notNullable();
    table.bigInteger('last_step').notNullable();
    table.integer('failures').notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('last_used_at');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('factors');
  // Without the table no second factor exists, so `two_factor` must be false.
  await knex('accounts').where({ two_factor: true }).update({ two_factor: false });
}
