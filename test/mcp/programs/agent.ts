/**
 * An agent with the TypeScript SDK. It asks for a tool, sends its person to the address that it prints, and asks again;
 * then it does the same with a dead access token, so that it must refresh.
 */
import { createServer } from 'node:http';
import {
  Client,
  type OAuthClientProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client';

const { SERVER = '', PORT = '', CLIENT_ID, METADATA_URL } = process.env;
const redirectUrl = `http://127.0.0.1:${PORT}/callback`;
const say = (word: string, text: string): void => {
  process.stdout.write(`${word} ${text}\n`);
};

let client: StoredOAuthClientInformation | undefined = CLIENT_ID ? { client_id: CLIENT_ID } : undefined;
let tokens: StoredOAuthTokens | undefined;
let verifier = '';
const state = crypto.randomUUID();

const provider: OAuthClientProvider = {
  redirectUrl,
  ...(METADATA_URL && { clientMetadataUrl: METADATA_URL }),
  clientMetadata: {
    client_name: 'TypeScript agent',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  },
  state: () => state,
  clientInformation: () => client,
  saveClientInformation: (given) => {
    client = given;
    say('CLIENT', given.client_id);
  },
  tokens: () => tokens,
  saveTokens: (given) => {
    tokens = given;
  },
  redirectToAuthorization: (address) => say('AUTHORIZE', address.href),
  saveCodeVerifier: (given) => {
    verifier = given;
  },
  codeVerifier: () => verifier,
};

const answered = Promise.withResolvers<URLSearchParams>();
const callback = createServer((req, res) => {
  const url = new URL(req.url ?? '', redirectUrl);
  if (url.pathname === '/callback') answered.resolve(url.searchParams);
  res.end('<h1>Back at the agent</h1>');
});
callback.listen(Number(PORT), '127.0.0.1');

async function ask(): Promise<void> {
  const agent = new Client({ name: 'agent', version: '1.0.0' });
  await agent.connect(new StreamableHTTPClientTransport(new URL(SERVER), { authProvider: provider }));
  const { content } = await agent.callTool({ name: 'whoami', arguments: {} });
  const [first] = content as { text?: string }[];
  say('RESULT', first?.text ?? '');
  await agent.close();
}

try {
  await ask();
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  const parameters = await answered.promise;
  if (parameters.get('state') !== state) throw new Error('the state is another');
  await new StreamableHTTPClientTransport(new URL(SERVER), { authProvider: provider }).finishAuth(parameters);
  await ask();
}
if (tokens) tokens = { ...tokens, access_token: 'dead' };
await ask();
callback.close();
