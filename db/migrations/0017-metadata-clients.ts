/** Clients that are described by the document at their id, and what a person was shown of one at consent. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('clients', (table) => {
    table.text('document');
  });
  await knex.schema.alterTable('consents', (table) => {
    table.text('snapshot');
  });
}

export async function down(knex: Knex): Promise<void> {
  // The version before knows no such client, and would keep the last copy of each for ever.
  const ids: string[] = await knex('clients').where({ origin: 'metadata' }).pluck('id');
  for (const id of ids) {
    await knex('clients').where({ id }).delete();
    for (const table of ['grants', 'tokens', 'consents', 'sessions'])
      await knex(table).where({ client_id: id }).delete();
  }
  await knex.schema.alterTable('clients', (table) => table.dropColumn('document'));
  await knex.schema.alterTable('consents', (table) => table.dropColumn('snapshot'));
}
