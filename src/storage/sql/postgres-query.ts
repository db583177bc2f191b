/** Sends a statement with the settings it needs, in one round trip and for itself alone: what runs behind a pooler. */
import type pg from 'pg';
import { Query } from 'pg';

type Callback = (error: Error | undefined, result: pg.QueryArrayResult<unknown[]> | undefined) => void;

/**
 * `settings` returns no rows. Both go out before one Sync and so are one transaction (PostgreSQL, "Extended Query: Pipelining"),
 * at whose end the settings are as before. A pooler leaves a transaction with one server process.
 */
export function sendWith(settings: string, client: pg.ClientBase, config: pg.QueryConfig, callback: Callback): void {
  const extended = { ...config, queryMode: 'extended' };
  // Of each statement there is a result; the second is the one that was asked for.
  const query = new Query(extended, (error, results) => callback(error, [results].flat()[1]));
  const submit = query.submit.bind(query);
  query.submit = (connection) => {
    connection.stream.cork();
    try {
      connection.parse({ name: '', text: settings, types: [] }, true);
      connection.bind({}, true);
      connection.execute({}, true);
      // Returned where it cannot be sent: the driver then reports it.
      return submit(connection);
    } finally {
      connection.stream.uncork();
    }
  };
  client.query(query);
}
