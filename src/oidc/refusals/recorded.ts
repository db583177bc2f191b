/** What is known of a refusal of the engine's: before it is recorded, and as the page and a developer's answer show it. */
import type { Check } from '../../core/refusals/check.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import type { Refused } from '../../core/refusals/refusals.ts';

export interface Facts extends Pick<Refused, 'expected' | 'received' | 'nearest' | 'advice' | 'look'> {
  /** A more exact one than the engine's words name. */
  readonly check?: CheckName;
}

export interface RecordedRefusal extends Omit<Facts, 'look'>, Pick<Check, 'source' | 'says'> {
  readonly reference: string;
  readonly check: CheckName;
  readonly advice: string;
}
