/** The access token format of an API, and scopes that need a role. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('apis', (table) => {
    // A column of its own: the earlier version would grant these scopes to every user, and never reads this column.
    table.text('held_scopes').notNullable().defaultTo('[]');
    table.text('token_typ').notNullable().defaultTo('at+jwt');
    table.text('signing_alg').notNullable().defaultTo('ES256');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('apis', (table) => table.dropColumns('held_scopes', 'token_typ', 'signing_alg'));
}
