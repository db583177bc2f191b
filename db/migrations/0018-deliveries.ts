/** The outbox, and the names that sessions have in ID tokens. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');
  await knex.schema.createTable('deliveries', (table) => {
    table.bigIncrements('id');
    table.text('kind').notNullable();
    name(table, 'client_id').notNullable();
    // Null once the delivery is settled, so that a later event of the same key gets a row of its own.
    name(table, 'merge_key').unique();
    table.text('facts').notNullable();
    name(table, 'state').notNullable();
    table.integer('version').notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('give_up_at').notNullable();
    table.bigInteger('due_ms').notNullable();
    table.integer('attempts').notNullable();
    table.text('last_outcome');
    table.bigInteger('last_at');
    table.bigInteger('settled_at');
    table.index(['client_id', 'id']);
    table.index(['state', 'id']);
  });
  const partial = async (columns: string, where: string) =>
    knex.schema.raw(
      `create index deliveries_${columns.split(', ').join('_')}_index on deliveries (${columns}) where ${where}`,
    );
  await partial('client_id, due_ms', `state = 'waiting'`);
  await partial('settled_at', 'settled_at is not null');
  await knex.schema.alterTable('sessions', (table) => {
    table.text('sids').notNullable().defaultTo('{}');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('sessions', (table) => table.dropColumn('sids'));
  await knex.schema.dropTable('deliveries');
}
