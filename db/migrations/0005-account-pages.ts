/** What a person's own pages show and set: their language; since when an application may what it may, and when it last did. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('accounts', (table) => {
    table.text('locale');
  });
  await knex.schema.alterTable('consents', (table) => {
    // For what a program of the version before writes while both run.
    table.bigInteger('created_at').notNullable().defaultTo(0);
    table.bigInteger('last_used_at');
  });
  await knex('consents').update({ created_at: knex.ref('updated_at') });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('accounts', (table) => table.dropColumn('locale'));
  for (const column of ['created_at', 'last_used_at']) {
    await knex.schema.alterTable('consents', (table) => table.dropColumn(column));
  }
}
