/** Sends a statement together with its settings in one round trip, for connections behind a pooler. */
import type pg from 'pg';
import { Query } from 'pg';

type Callback = (error: Error | undefined, result: pg.QueryArrayResult<unknown[]> | undefined) => void;

/**
 * `settings` returns no rows. Both statements go out before one Sync and so form one transaction (PostgreSQL, "Extended
 * Query: Pipelining"); the settings end with it. A pooler keeps a transaction on one server process.
 */
export function sendWith(settings: string, client: pg.ClientBase, config: pg.QueryConfig, callback: Callback): void {
  const extended = { ...config, queryMode: 'extended' };
  // One result per statement; the second belongs to `config`.
  const query = new Query(extended, (error, results) => callback(error, [results].flat()[1]));
  const submit = query.submit.bind(query);
  query.submit = (connection) => {
    connection.stream.cork();
    try {
      connection.parse({ name: '', text: settings, types: [] }, true);
      connection.bind({}, true);
      connection.execute({}, true);
      // Returns the driver's error if the query cannot be sent.
      return submit(connection);
    } finally {
      connection.stream.uncork();
    }
  };
  client.query(query);
}
