export interface ApiScope {
  readonly name: string;
  /** What it allows, as people read it on the consent page. */
  readonly sentence: string;
  /** Part of what a request for this API without `scope` gets. */
  readonly default: boolean;
  /** The person may leave it out and allow the rest. */
  readonly optional: boolean;
  /** Granted only to people whose roles include it. */
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
  /** The `typ` of its JWTs (RFC 9068, section 2.1); `JWT` is for resource servers that know no other. */
  readonly tokenTyp: 'at+jwt' | 'JWT';
  /** What its JWTs are signed with. */
  readonly signingAlg: 'ES256' | 'RS256';
  /** Access-token lifetime in seconds, 1 to 86400; null: the server's setting. */
  readonly tokenLifetime: number | null;
  /** Ids of clients that may introspect this API's opaque tokens. */
  readonly introspectors: readonly string[];
}

export interface ApiStore {
  /** Inserts or replaces; notes the change. */
  put(api: ApiRecord): Promise<void>;
  /**
   * Replaces it by what `edit` makes of it, so that no change of another process is lost; notes the change. Undefined: there is no
   * such API, or `edit` has returned undefined. `edit` may be called again.
   */
  update(identifier: string, edit: (api: ApiRecord) => ApiRecord | undefined): Promise<ApiRecord | undefined>;
  list(): Promise<ApiRecord[]>;
  remove(identifier: string): Promise<boolean>;
}
