/** Further attributes of users, and groups of users. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  const postgres = knex.client.dialect === 'postgresql';
  const name = (table: Knex.CreateTableBuilder, column: string) =>
    table.specificType(column, postgres ? 'text collate "C"' : 'text');

  await knex.schema.alterTable('accounts', (table) => {
    table.text('picture');
    table.text('zoneinfo');
    table.text('phone');
    // Default for rows that the earlier version inserts while both run.
    table.boolean('phone_verified').notNullable().defaultTo(false);
    // JSON: the members are read and written together, and none is searched.
    table.text('address');
  });
  // Further data of a group refers to its id, because the name may change.
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
    // For the other direction: the groups of a user are read with the user's claims.
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
