/** Browsers that are known for an account although the user did not choose to be remembered; these are never shown. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('devices', (table) => {
    // Existing rows, and rows that the earlier version inserts while both run, are shown.
    table.boolean('shown').notNullable().defaultTo(true);
  });
}

export async function down(knex: Knex): Promise<void> {
  // The earlier version would show these rows.
  await knex('devices').where({ shown: false }).delete();
  await knex.schema.alterTable('devices', (table) => table.dropColumn('shown'));
}
