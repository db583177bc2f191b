/** What a check that can refuse a request says; the list is in checks.ts. */

export interface Check {
  /** Where the rule comes from. */
  readonly source: string;
  readonly says: string;
  readonly advice: string;
}

export const check = (source: string, says: string, advice: string): Check => ({ source, says, advice });
