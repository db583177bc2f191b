/** Since when an operator answers for an application. What people have registered for themselves is unreviewed. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('clients', (table) => {
    // Null: unreviewed. So is what a program of the version before writes while both run.
    table.bigInteger('reviewed_at');
  });
  await knex('clients')
    .whereNot({ origin: 'person' })
    .update({ reviewed_at: knex.ref('created_at') });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('clients', (table) => table.dropColumn('reviewed_at'));
}
