/** What a user has allowed a client, kept apart from the grants of single sessions. */
export interface ConsentRow {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** API identifier -> scopes. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  /** What the person was shown of a client that a document describes (core/metadata-clients/consent-snapshot). */
  readonly snapshot?: string | null;
  readonly updatedAt: number;
}

export interface StoredConsent extends ConsentRow {
  /** `updatedAt` of the first put. */
  readonly createdAt: number;
  /** When the client last received a token. Null: not since this is recorded. */
  readonly lastUsedAt: number | null;
}

export interface ConsentStore {
  find(subject: string, clientId: string): Promise<StoredConsent | undefined>;
  put(consent: ConsentRow): Promise<void>;
  remove(subject: string, clientId: string): Promise<boolean>;
  list(subject: string): Promise<StoredConsent[]>;
  /** Moves `lastUsedAt` forward, in one transaction. Skips consents that do not exist. */
  touch(marks: readonly { subject: string; clientId: string; at: number }[]): Promise<void>;
}
