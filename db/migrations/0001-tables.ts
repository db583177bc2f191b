/** Every table of the first version. Times are seconds since the epoch unless a name says milliseconds. */
import type { Knex } from 'knex';

const tables = [
  'accounts',
  'clients',
  'apis',
  'changes',
  'change_counter',
  'tokens',
  'grants',
  'sessions',
  'consents',
  'signing_keys',
  'audit',
  'links',
  'leases',
];

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  // Names are compared byte by byte, as in SQLite, so order and equality do not depend on the server's locale.
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');
  const time = (table: Knex.CreateTableBuilder, column: string) => table.bigInteger(column);

  await knex.schema.createTable('accounts', (table) => {
    table.bigIncrements('id');
    name(table, 'subject').notNullable().unique();
    table.text('username').notNullable();
    name(table, 'username_key').notNullable().unique();
    table.text('first_name').notNullable();
    table.text('last_name').notNullable();
    table.text('email');
    name(table, 'email_key').unique();
    table.boolean('verified').notNullable();
    table.boolean('two_factor').notNullable();
    table.boolean('admin').notNullable();
    table.text('password_hash');
    time(table, 'disabled_at');
    time(table, 'created_at').notNullable();
    time(table, 'updated_at').notNullable();
    time(table, 'last_seen_at');
  });

  await knex.schema.createTable('clients', (table) => {
    name(table, 'id').primary();
    table.text('metadata').notNullable();
    table.text('secrets').notNullable();
    name(table, 'owner').index();
    table.text('origin').notNullable();
    time(table, 'disabled_at');
    table.integer('version').notNullable();
    time(table, 'created_at').notNullable();
    time(table, 'updated_at').notNullable();
  });

  await knex.schema.createTable('apis', (table) => {
    name(table, 'identifier').primary();
    table.text('name').notNullable();
    table.text('scopes').notNullable();
    table.text('token_format').notNullable();
    table.integer('token_lifetime');
    table.text('introspectors').notNullable();
  });

  await knex.schema.createTable('changes', (table) => {
    table.bigInteger('seq').primary();
    table.text('kind').notNullable();
    table.text('entity').notNullable();
    time(table, 'noted_at').notNullable().index();
  });

  await knex.schema.createTable('change_counter', (table) => {
    table.integer('id').primary();
    table.bigInteger('seq').notNullable();
  });
  await knex('change_counter').insert({ id: 1, seq: 0 });

  await knex.schema.createTable('tokens', (table) => {
    name(table, 'key').primary();
    table.text('kind').notNullable();
    table.text('payload').notNullable();
    name(table, 'grant_id');
    name(table, 'client_id');
    name(table, 'subject');
    name(table, 'session_uid');
    time(table, 'expires_at');
    time(table, 'consumed_at');
    name(table, 'successor_key');
    table.text('successor_sealed');
  });
  // Partial indexes: an index without the token makes its insert cheaper.
  for (const column of ['grant_id', 'client_id', 'subject', 'expires_at']) {
    await knex.schema.raw(`create index tokens_${column}_index on tokens (${column}) where ${column} is not null`);
  }

  await knex.schema.createTable('grants', (table) => {
    name(table, 'id').primary();
    name(table, 'client_id').notNullable().index();
    name(table, 'subject').notNullable().index();
    table.text('payload').notNullable();
    time(table, 'expires_at').notNullable().index();
  });

  await knex.schema.createTable('sessions', (table) => {
    name(table, 'uid').primary();
    name(table, 'key').notNullable().unique();
    name(table, 'subject').index();
    table.text('payload').notNullable();
    table.text('grants').notNullable();
    time(table, 'expires_at').notNullable().index();
    time(table, 'created_at').notNullable();
  });

  await knex.schema.createTable('consents', (table) => {
    name(table, 'subject').notNullable();
    name(table, 'client_id').notNullable().index();
    table.text('scopes').notNullable();
    table.text('claims').notNullable();
    table.text('resources').notNullable();
    time(table, 'updated_at').notNullable();
    table.primary(['subject', 'client_id']);
  });

  await knex.schema.createTable('signing_keys', (table) => {
    name(table, 'id').primary();
    table.text('algorithm').notNullable();
    table.text('status').notNullable();
    table.text('sealed').notNullable();
    time(table, 'created_at').notNullable();
    time(table, 'current_at');
    time(table, 'previous_at');
  });

  await knex.schema.createTable('audit', (table) => {
    table.bigIncrements('id');
    table.bigInteger('at_ms').notNullable().index();
    name(table, 'event').notNullable();
    name(table, 'subject');
    table.text('client_id');
    table.text('address');
    table.text('request_id');
    table.text('detail').notNullable();
    table.index(['event', 'id']);
    table.index(['subject', 'id']);
  });

  await knex.schema.createTable('links', (table) => {
    name(table, 'key').primary();
    name(table, 'purpose').notNullable().index();
    name(table, 'subject').index();
    table.text('detail').notNullable();
    time(table, 'expires_at').notNullable().index();
  });

  await knex.schema.createTable('leases', (table) => {
    name(table, 'name').primary();
    table.text('holder').notNullable();
    table.bigInteger('until_ms').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of tables.toReversed()) await knex.schema.dropTable(table);
}
