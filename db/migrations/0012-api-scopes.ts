/** What the access tokens of an API look like, and scopes that only people with a role for them may be given. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('apis', (table) => {
    // Apart from `scopes`: the version before, which would grant them to everyone, never sees them.
    table.text('held_scopes').notNullable().defaultTo('[]');
    table.text('token_typ').notNullable().defaultTo('at+jwt');
    table.text('signing_alg').notNullable().defaultTo('ES256');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('apis', (table) => table.dropColumns('held_scopes', 'token_typ', 'signing_alg'));
}
