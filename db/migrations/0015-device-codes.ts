/** User codes of the device flow (RFC 8628), and the polls of their devices. The device codes are rows of `tokens`. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');

  await knex.schema.createTable('device_codes', (table) => {
    name(table, 'user_code').primary();
    name(table, 'token_key').notNullable().unique();
    table.text('browser');
    table.integer('poll_interval').notNullable();
    table.bigInteger('polled_at_ms');
    // Whether the last poll came too early. The statement that notes a poll returns it.
    table.boolean('early').notNullable().defaultTo(false);
    table.bigInteger('expires_at').notNullable().index();
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('device_codes');
}
