export type KeyStatus = 'next' | 'current' | 'previous';

export interface KeyRow {
  /** The `kid`. */
  readonly id: string;
  readonly algorithm: 'ES256' | 'RS256';
  readonly status: KeyStatus;
  /** The private JWK as JSON, sealed under SECRET_KEY. */
  readonly sealed: string;
  readonly createdAt: number;
  /** When it began to sign; null while it is next. */
  readonly currentAt: number | null;
  /** When it stopped signing; null until then. */
  readonly previousAt: number | null;
}

export interface KeyStore {
  list(): Promise<KeyRow[]>;
  /** Writes all rows and removes all ids in one transaction, noting the change, only if the stored set of (id, status) equals `seen`. */
  replace(
    seen: readonly { id: string; status: KeyStatus }[],
    puts: readonly KeyRow[],
    removes: readonly string[],
  ): Promise<boolean>;
}
