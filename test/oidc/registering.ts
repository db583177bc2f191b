/** Registers a client, or manages its registration, over HTTP. */
import { bearer, type CallAnswer, call, posting } from '../support/call.ts';
import type { TestServer } from '../support/server.ts';

export interface RegistrationAnswer extends CallAnswer {
  readonly body: Readonly<Record<string, unknown>>;
}

export async function registering(
  server: Pick<TestServer, 'port'>,
  metadata: unknown,
  initialToken?: string,
): Promise<RegistrationAnswer> {
  const headers = initialToken === undefined ? [] : [bearer(initialToken)];
  return parsed(await call(server, posting('/oauth/register', metadata, ...headers)));
}

export async function managing(
  server: Pick<TestServer, 'port'>,
  method: 'GET' | 'PUT' | 'DELETE',
  registration: { readonly id: string; readonly token?: string | undefined },
  metadata?: unknown,
): Promise<RegistrationAnswer> {
  const { id, token } = registration;
  const headers = token === undefined ? [] : [bearer(token)];
  const sent = { ...posting(`/oauth/register/${id}`, metadata, ...headers), method };
  if (metadata !== undefined) return parsed(await call(server, sent));
  return parsed(await call(server, { method, path: sent.path, headers }));
}

function parsed(answer: CallAnswer): RegistrationAnswer {
  return { ...answer, body: answer.text === '' ? {} : JSON.parse(answer.text) };
}
