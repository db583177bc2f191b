/** The texts of a check that can refuse a request; the list is in checks.ts. */

export interface Check {
  /** The rule's source. */
  readonly source: string;
  readonly says: string;
  readonly advice: string;
}

export const check = (source: string, says: string, advice: string): Check => ({ source, says, advice });
