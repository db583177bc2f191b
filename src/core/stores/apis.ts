export interface ApiRecord {
  /** The audience: an absolute URI without a fragment (RFC 8707, section 2). */
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly { readonly name: string; readonly sentence: string }[];
  readonly tokenFormat: 'jwt' | 'opaque';
  /** Access-token lifetime in seconds, 1 to 86400; null: the server's setting. */
  readonly tokenLifetime: number | null;
  /** Ids of clients that may introspect this API's opaque tokens. */
  readonly introspectors: readonly string[];
}

export interface ApiStore {
  /** Inserts or replaces; notes the change. */
  put(api: ApiRecord): Promise<void>;
  list(): Promise<ApiRecord[]>;
  remove(identifier: string): Promise<boolean>;
}
