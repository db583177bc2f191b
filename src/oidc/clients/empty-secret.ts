/**
 * HTTP Basic with an empty secret, as some libraries send for a client that has none. The engine takes it for malformed
 * credentials. From a public client it says no more than `client_id` in the body, and goes on as that.
 */
import { Unavailable } from '../../base/errors.ts';
import type { CachedClients } from '../../core/clients/cached-clients.ts';
import { basicCredentials } from './basic-credentials.ts';

interface Sent {
  readonly headers: { authorization?: string | undefined };
  readonly form: string;
}

/** The form of the request; takes the header away where the form says it all. */
export async function withoutEmptySecret({ headers, form }: Sent, clients: Pick<CachedClients, 'find'>) {
  const sent = basicCredentials(headers.authorization ?? '');
  if (sent?.secret !== '') return form;
  const { id } = sent;
  const named = new URLSearchParams(form).getAll('client_id');
  // Another id in the body: the engine refuses the two.
  if (named.some((other) => other !== id) || !(await isPublic(id, clients))) return form;
  delete headers.authorization;
  if (named.length > 0) return form;
  return `${form}${form === '' ? '' : '&'}${new URLSearchParams({ client_id: id })}`;
}

async function isPublic(id: string, clients: Pick<CachedClients, 'find'>): Promise<boolean> {
  try {
    return (await clients.find(id))?.metadata.token_endpoint_auth_method === 'none';
  } catch (error) {
    // The engine is about to look for the client too, and has the answer for this.
    if (error instanceof Unavailable) return false;
    throw error;
  }
}
