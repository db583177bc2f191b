/** Passkeys. `public_key`: COSE (RFC 9052); `credential_id`: the authenticator's id; both base64url. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');

  await knex.schema.createTable('passkeys', (table) => {
    name(table, 'id').primary();
    name(table, 'subject').notNullable().index();
    name(table, 'credential_id').notNullable().unique();
    table.text('handle').notNullable();
    table.text('name').notNullable();
    table.text('public_key').notNullable();
    table.bigInteger('counter').notNullable();
    table.text('transports').notNullable();
    table.boolean('synced').notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('last_used_at');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('passkeys');
  // The earlier version cannot check these factors. Recovery codes and `two_factor` must match what is left.
  await knex('factors').where({ kind: 'email-code' }).delete();
  const left = knex('factors').where({ kind: 'totp', state: 'active' }).select('subject');
  await knex('factors').where({ kind: 'recovery-code' }).whereNotIn('subject', left.clone()).delete();
  await knex('accounts').where({ two_factor: true }).whereNotIn('subject', left.clone()).update({ two_factor: false });
}
