/** For the account pages: the user's language, and when a consent was given and last used. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('accounts', (table) => {
    table.text('locale');
  });
  await knex.schema.alterTable('consents', (table) => {
    // Default for rows that the earlier version inserts while both run.
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
