/** What people tell of themselves beyond their names, and groups of people. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');

  await knex.schema.alterTable('accounts', (table) => {
    table.text('picture');
    table.text('zoneinfo');
    table.text('phone');
    // With a default for what a program of the version before writes while both run.
    table.boolean('phone_verified').notNullable().defaultTo(false);
    // JSON: its members come and go together, and nothing is found by one of them.
    table.text('address');
  });
  // What a group holds beside people comes in tables of its own, by the id: a name may change.
  await knex.schema.createTable('groups', (table) => {
    name(table, 'id').primary();
    table.text('name').notNullable();
    name(table, 'name_key').notNullable().unique();
    table.text('description').notNullable();
    table.bigInteger('created_at').notNullable();
    table.bigInteger('updated_at').notNullable();
  });
  await knex.schema.createTable('group_members', (table) => {
    name(table, 'group_id').notNullable();
    name(table, 'subject').notNullable();
    table.bigInteger('created_at').notNullable();
    table.primary(['group_id', 'subject']);
    // The other way round: the groups of a person are read with their claims.
    table.unique(['subject', 'group_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('group_members');
  await knex.schema.dropTable('groups');
  for (const column of ['address', 'phone_verified', 'phone', 'zoneinfo', 'picture']) {
    await knex.schema.alterTable('accounts', (table) => table.dropColumn(column));
  }
}
