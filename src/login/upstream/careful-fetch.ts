/**
 * Requests to a provider: no redirects (the library treats them as errors), a maximum size, and a limit of five seconds
 * for the whole response.
 */
export const timeoutSeconds = 5;
const answerLimit = 256 * 1024;

class TooLarge extends Error {}

export async function carefulFetch(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...options, redirect: 'manual' });
  const { status, headers, body } = response;
  const parts: Uint8Array[] = [];
  let size = 0;
  // The request's signal also ends a slow body. Leaving the loop closes the connection.
  for await (const part of body ?? []) {
    size += part.length;
    if (size > answerLimit) throw new TooLarge('the answer is too large');
    parts.push(part);
  }
  const bare = new Headers(headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) bare.delete(name);
  const empty = status === 204 || status === 304 || status < 200;
  return new Response(empty ? null : Buffer.concat(parts), { status: Math.max(200, status), headers: bare });
}
