/** How often a replaced refresh token returned its successor again, and at which time of these that was noted. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('tokens', (table) => {
    table.integer('repeats').notNullable().defaultTo(0);
    table.integer('repeats_noted');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('tokens', (table) => {
    table.dropColumn('repeats');
    table.dropColumn('repeats_noted');
  });
}
