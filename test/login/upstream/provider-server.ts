/**
 * A provider made for a test, on Node's own HTTP server: it keeps to OpenID Connect and to OAuth 2 in GitHub's manner
 * until a test tells it what to do wrong.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { randomToken } from '../../../src/base/secrets.ts';

export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly form: URLSearchParams;
}

export interface ProviderServer {
  readonly url: string;
  /** Every request but those of browsers. */
  readonly asked: Asked[];
  /** A member of the ID token; undefined leaves it out. */
  claims: Record<string, unknown>;
  userinfo: Record<string, unknown>;
  /** Answers a path in place of what is usual. */
  readonly instead: Map<string, (res: ServerResponse, req: IncomingMessage) => void>;
  /** Changes the ID token after it was signed. */
  tamper: (token: string) => string;
  /** Where it sends a browser that came with this address: an answer with a code. */
  answer(address: string): Promise<string>;
  reset(): void;
  close(): Promise<void>;
}

export async function startProvider(): Promise<ProviderServer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const nonces = new Map<string, string>();
  const asked: Asked[] = [];
  const instead: ProviderServer['instead'] = new Map();
  const server = createServer((req, res) => void respond(req, res).catch(() => res.destroy()));
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const address = server.address();
  const url = `http://localhost:${typeof address === 'object' && address ? address.port : 0}`;

  const json = (res: ServerResponse, status: number, body: unknown): void => {
    res.writeHead(status, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify(body));
  };

  async function idToken(nonce: string | undefined): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: url, sub: 'ada-1', aud: 'us', iat: now, exp: now + 300, nonce, ...provider.claims };
    const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
    return provider.tamper(await new SignJWT(given).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey));
  }

  async function respond(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = new URL(req.url ?? '/', url).pathname;
    let body = '';
    for await (const part of req) body += part;
    const form = new URLSearchParams(body);
    asked.push({ path, headers: req.headers, form });
    const other = instead.get(path);
    if (other) return other(res, req);
    switch (path) {
      case '/.well-known/openid-configuration':
        return json(res, 200, {
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/jwks`,
          userinfo_endpoint: `${url}/userinfo`,
          id_token_signing_alg_values_supported: ['ES256'],
        });
      case '/jwks':
        return json(res, 200, { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] });
      case '/token': {
        const nonce = nonces.get(form.get('code') ?? '');
        if (!nonces.delete(form.get('code') ?? '')) return json(res, 400, { error: 'invalid_grant' });
        const token = { access_token: 'their-access-token', token_type: 'bearer', scope: 'read:user' };
        return json(res, 200, nonce ? { ...token, id_token: await idToken(nonce) } : token);
      }
      case '/userinfo': {
        const allowed = req.headers.authorization === 'Bearer their-access-token';
        return allowed ? json(res, 200, provider.userinfo) : json(res, 401, { message: 'Requires authentication' });
      }
      default:
        return json(res, 404, {});
    }
  }

  const usual = () => ({ claims: {}, userinfo: { sub: 'ada-1', id: 4711, login: 'ada-l', name: 'Ada Lovelace' } });
  const provider: ProviderServer = {
    url,
    asked,
    ...usual(),
    instead,
    tamper: (token) => token,
    async answer(to) {
      const { searchParams } = new URL(to);
      const code = randomToken(16);
      nonces.set(code, searchParams.get('nonce') ?? '');
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      back.search = new URLSearchParams({ code, state: searchParams.get('state') ?? '' }).toString();
      return back.href;
    },
    reset() {
      Object.assign(provider, usual());
      provider.tamper = (token) => token;
      instead.clear();
      asked.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return provider;
}
