/** The Postgres server that `TEST_DATABASE_URL` names, and databases on it. */
import pg from 'pg';

function address(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set');
  return url;
}

async function run(command: string): Promise<void> {
  const client = new pg.Client({ connectionString: address() });
  await client.connect();
  try {
    await client.query(command);
  } finally {
    await client.end();
  }
}

export function urlOf(name: string): string {
  const url = new URL(address());
  url.pathname = `/${name}`;
  return url.href;
}

/** An empty one, or a copy of another. */
export const createDatabase = (name: string, template?: string): Promise<void> =>
  run(`create database ${name}${template === undefined ? '' : ` template ${template}`}`);

export const dropDatabase = (name: string): Promise<void> => run(`drop database if exists ${name} with (force)`);
