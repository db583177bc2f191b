/** Auth.js with a provider of type `oidc`, as its guide to custom providers has it; a second one asks userinfo. */
import { ExpressAuth, type ExpressAuthConfig } from '@auth/express';
import express from 'express';
import { clientId, clientSecret, issuer, port } from './web.ts';

const provider = { type: 'oidc', issuer: issuer.origin, clientId, clientSecret } as const;
const config: ExpressAuthConfig = {
  secret: 'a-secret-of-the-application-0123456789',
  trustHost: true,
  providers: [
    { ...provider, id: 'gatehouse', name: 'Gatehouse' },
    { ...provider, id: 'userinfo', name: 'Gatehouse userinfo', idToken: false },
  ],
};

const app = express();
app.use('/auth/*', ExpressAuth(config));
app.get('/', (_request, response) => {
  response.send('<!doctype html><title>Bookshelf</title>');
});
app.listen(port, '127.0.0.1');
