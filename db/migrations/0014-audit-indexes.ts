/** The trail of an application, an address or one request is found by an index, as that of a person and of an event is. */
import type { Knex } from 'knex';

const indexes = { client_id: '(client_id, id)', address: '(address, id)', request_id: '(request_id, id)' };

export async function up(knex: Knex): Promise<void> {
  // Only rows that have the value: what a command does has neither address nor request.
  for (const [column, columns] of Object.entries(indexes))
    await knex.schema.raw(`create index audit_${column}_index on audit ${columns} where ${column} is not null`);
}

export async function down(knex: Knex): Promise<void> {
  for (const column of Object.keys(indexes)) await knex.schema.raw(`drop index audit_${column}_index`);
}
