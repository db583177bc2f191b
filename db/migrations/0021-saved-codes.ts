/** Whether the person has shown that they saved their recovery codes. Codes of an earlier version count as saved. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('factors', (table) => {
    table.boolean('saved').notNullable().defaultTo(true);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('factors', (table) => table.dropColumns('saved'));
}
