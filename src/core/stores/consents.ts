/** What a person has once allowed an application, kept apart from the grants of single sessions. */
export interface ConsentRow {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** API identifier -> scopes. */
  readonly resources: Readonly<Record<string, readonly string[]>>;
  readonly updatedAt: number;
}

export interface StoredConsent extends ConsentRow {
  /** `updatedAt` of the first put. */
  readonly createdAt: number;
  /** When the client was last given a token; null: not since this is written down. */
  readonly lastUsedAt: number | null;
}

export interface ConsentStore {
  find(subject: string, clientId: string): Promise<StoredConsent | undefined>;
  put(consent: ConsentRow): Promise<void>;
  remove(subject: string, clientId: string): Promise<boolean>;
  list(subject: string): Promise<StoredConsent[]>;
  /** Moves `lastUsedAt` forward, all in one transaction. Consents that are not there are passed over. */
  touch(marks: readonly { subject: string; clientId: string; at: number }[]): Promise<void>;
}
