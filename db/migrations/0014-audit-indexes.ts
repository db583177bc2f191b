/** Indexes to find audit events by client, address or request, as by subject and event. */
import type { Knex } from 'knex';

const indexes = { client_id: '(client_id, id)', address: '(address, id)', request_id: '(request_id, id)' };

export async function up(knex: Knex): Promise<void> {
  // Partial indexes: events of commands have neither address nor request.
  for (const [column, columns] of Object.entries(indexes))
    await knex.schema.raw(`create index audit_${column}_index on audit ${columns} where ${column} is not null`);
}

export async function down(knex: Knex): Promise<void> {
  for (const column of Object.keys(indexes)) await knex.schema.raw(`drop index audit_${column}_index`);
}
