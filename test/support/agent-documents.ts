/** Client metadata documents in the shape of those that agents publish. Hosts are examples. */

export interface AgentDocument {
  readonly url: string;
  /** Without `client_id`, which is the address. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The redirect URI that the agent sends. */
  readonly redirect: string;
}

/** Names no port and no type, and listens on a random port. */
export const commandLineAgent: AgentDocument = {
  url: 'https://assistant.example/oauth/command-line-client-metadata',
  document: {
    client_name: 'Assistant Code',
    client_uri: 'https://assistant.example',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  redirect: 'http://localhost:53682/callback',
};

/** A hosted agent, with a grant type that this server does not have. */
export const hostedAgent: AgentDocument = {
  url: 'https://assistant.example/oauth/mcp-oauth-client-metadata',
  document: {
    client_name: 'Assistant',
    redirect_uris: [
      'https://assistant.example/api/mcp/auth_callback',
      'https://assistant-web.example/api/mcp/auth_callback',
    ],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
  redirect: 'https://assistant.example/api/mcp/auth_callback',
};

/** An agent that signs, and says that it could do without. */
export const signingAgent: AgentDocument = {
  url: 'https://chat.example/oauth/client.json',
  document: {
    client_name: 'Chat',
    redirect_uris: ['https://chat.example/connector_platform_oauth_redirect'],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    token_endpoint_auth_signing_alg: 'ES256',
    jwks_uri: 'https://chat.example/oauth/jwks.json',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    unknown_member: { kept: false },
  },
  redirect: 'https://chat.example/connector_platform_oauth_redirect',
};

/** An editor: another port than the one in its document, and the device grant. */
export const editorAgent: AgentDocument = {
  url: 'https://editor.example/oauth/client-metadata.json',
  document: {
    client_name: 'Code Editor',
    application_type: 'native',
    redirect_uris: ['http://127.0.0.1:33418/', 'https://editor.example/redirect'],
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    token_endpoint_auth_method: 'none',
  },
  redirect: 'http://127.0.0.1:51220/',
};

/** A command line with an id in its callback. */
export const codingAgent: AgentDocument = {
  url: 'https://chat.example/oauth/codex/client.json',
  document: {
    client_name: 'Coder',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'web',
  },
  redirect: 'http://127.0.0.1:1455/callback',
};

export const agents: Readonly<Record<string, AgentDocument>> = {
  'Claude Code': commandLineAgent,
  'claude.ai': hostedAgent,
  ChatGPT: signingAgent,
  'VS Code': editorAgent,
  Codex: codingAgent,
};
