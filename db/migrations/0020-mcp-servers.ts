/** Whether an API is an MCP server. */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('apis', (table) => {
    table.boolean('mcp_server').notNullable().defaultTo(false);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('apis', (table) => table.dropColumns('mcp_server'));
}
