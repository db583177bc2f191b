/** Browsers that are known for an account although its person did not ask to be remembered: known, and never shown. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('devices', (table) => {
    // For what is there, and for what a program of the version before writes while both run: all of those are shown.
    table.boolean('shown').notNullable().defaultTo(true);
  });
}

export async function down(knex: Knex): Promise<void> {
  // The program before this one would show them.
  await knex('devices').where({ shown: false }).delete();
  await knex.schema.alterTable('devices', (table) => table.dropColumn('shown'));
}
