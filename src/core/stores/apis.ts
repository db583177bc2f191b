export interface ApiScope {
  readonly name: string;
  /** What the scope allows, as the consent page shows it. */
  readonly sentence: string;
  /** Requested when a request for this API names no scope. */
  readonly default: boolean;
  /** The user may untick it and allow the rest. */
  readonly optional: boolean;
  /** Granted only to users whose roles include it. */
  readonly held: boolean;
  /** The bearer of a tinyoauth token may consent to it (oidc/requests/bearer-consent). */
  readonly bearer: boolean;
}

export interface ApiRecord {
  /** The audience: an absolute URI without a fragment (RFC 8707, section 2). */
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly ApiScope[];
  readonly tokenFormat: 'jwt' | 'opaque';
  /** The `typ` of its JWTs (RFC 9068, section 2.1). `JWT` is for resource servers that reject `at+jwt`. */
  readonly tokenTyp: 'at+jwt' | 'JWT';
  /** Signing algorithm of its JWTs. */
  readonly signingAlg: 'ES256' | 'RS256';
  /** Access token lifetime in seconds, 1 to 86400. Null: the server's setting. */
  readonly tokenLifetime: number | null;
  /** Ids of the clients that may introspect this API's opaque tokens. */
  readonly introspectors: readonly string[];
  /** An MCP server: its identifier is its address, and requests without `scope` work. */
  readonly mcpServer: boolean;
}

export interface ApiStore {
  /** Inserts or replaces. Notes the change. */
  put(api: ApiRecord): Promise<void>;
  /**
   * Applies `edit` to the locked row, so that no concurrent change is lost, and notes the change. `edit` may run twice.
   * Returns undefined if there is no such API or `edit` returns undefined.
   */
  update(identifier: string, edit: (api: ApiRecord) => ApiRecord | undefined): Promise<ApiRecord | undefined>;
  list(): Promise<ApiRecord[]>;
  remove(identifier: string): Promise<boolean>;
}
