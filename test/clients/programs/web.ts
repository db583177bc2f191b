/** The least of a web application, for libraries that bring none: paths, each answered by a redirect or by JSON. */
import { createServer } from 'node:http';

export type Answer = { readonly redirect: URL } | { readonly json: unknown };

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/**
 * What the operator of an application is given: the issuer, an id and a secret. The application knows its own address.
 */
export const issuer = new URL(setting('ISSUER'));
export const clientId = setting('CLIENT_ID');
export const clientSecret = process.env.CLIENT_SECRET ?? '';
export const address = setting('APP_URL');
export const port = Number(setting('PORT'));

export function serve(routes: Readonly<Record<string, (url: URL) => Answer | Promise<Answer>>>): void {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', address);
    try {
      const answer = await routes[url.pathname]?.(url);
      if (!answer) response.writeHead(404).end();
      else if ('redirect' in answer) response.writeHead(302, { location: answer.redirect.href }).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json));
    } catch (error) {
      const text =
        error instanceof Error ? `${error.name}: ${error.message} ${String(error.cause ?? '')}` : String(error);
      response.writeHead(500, { 'content-type': 'text/plain' }).end(text);
    }
  });
  server.listen(port, '127.0.0.1');
}
