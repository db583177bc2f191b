/** When an operator reviewed a client. Clients that users have registered start unreviewed. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('clients', (table) => {
    // Null: unreviewed, also for rows that the earlier version inserts while both run.
    table.bigInteger('reviewed_at');
  });
  await knex('clients')
    .whereNot({ origin: 'person' })
    .update({ reviewed_at: knex.ref('created_at') });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('clients', (table) => table.dropColumn('reviewed_at'));
}
