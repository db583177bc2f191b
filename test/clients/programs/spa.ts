/**
 * The files of a page in the browser, from a place of its own: spa.html, and oidc-client-ts as it ships for a script
 * tag.
 */
import { createReadStream, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { clientId, issuer, port } from './web.ts';

const library = fileURLToPath(new URL('../browser/oidc-client-ts.min.js', import.meta.resolve('oidc-client-ts')));
const settings = JSON.stringify({ authority: issuer.origin, client_id: clientId });
const page = readFileSync(new URL('spa.html', import.meta.url), 'utf8').replace('{}', settings);

createServer((request, response) => {
  if (request.url !== '/oidc-client-ts.min.js') response.setHeader('content-type', 'text/html').end(page);
  else createReadStream(library).pipe(response.setHeader('content-type', 'text/javascript'));
}).listen(port, '127.0.0.1');
