export type KeyStatus = 'next' | 'current' | 'previous';

export interface KeyRow {
  /** The `kid`. */
  readonly id: string;
  readonly algorithm: 'ES256' | 'RS256';
  readonly status: KeyStatus;
  /** The private JWK as JSON, sealed under SECRET_KEY. */
  readonly sealed: string;
  readonly createdAt: number;
  /** When it started to sign. Null while it is `next`. */
  readonly currentAt: number | null;
  /** When it stopped signing. Null before. */
  readonly previousAt: number | null;
}

export interface KeyStore {
  list(): Promise<KeyRow[]>;
  /**
   * Writes and removes rows, and notes the change, in one transaction, if the stored (id, status) pairs equal `seen`.
   */
  replace(
    seen: readonly { id: string; status: KeyStatus }[],
    puts: readonly KeyRow[],
    removes: readonly string[],
  ): Promise<boolean>;
}
