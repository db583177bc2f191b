/**
 * Requests to a provider: no redirects (the library asks for none, and takes one as a wrong answer), no answer beyond a size, and
 * an end after five seconds, whichever part of the answer it is that does not come.
 */
export const timeoutSeconds = 5;
const answerLimit = 256 * 1024;

export class TooLarge extends Error {}

export async function carefulFetch(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...options, redirect: 'manual' });
  const { status, headers, body } = response;
  const parts: Uint8Array[] = [];
  let size = 0;
  // The signal is the request's: it ends a body that drips as well. Leaving the loop lets the connection go.
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
