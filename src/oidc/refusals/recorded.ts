/** What is known of a refusal of the engine's: before it is recorded, and as the page and a developer's answer show it. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Apis } from '../../core/apis/apis.ts';
import type { Check } from '../../core/refusals/check.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import type { Refused } from '../../core/refusals/refusals.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';

export interface Facts extends Pick<Refused, 'expected' | 'received' | 'nearest' | 'advice' | 'look'> {
  /** A more exact one than the engine's words name. */
  readonly check?: CheckName;
}

export interface RecordedRefusal extends Omit<Facts, 'look'>, Pick<Check, 'source' | 'says'> {
  readonly reference: string;
  readonly check: CheckName;
  readonly advice: string;
}

export interface FactsDeps {
  readonly issuer: string;
  readonly apis: Apis;
  /** Ids that may be the one that was meant. */
  readonly clientIdsNear: (id: string) => Promise<readonly string[]>;
}

/** What a refusal is told of. */
export interface Asked {
  readonly ctx: KoaContextWithOIDC;
  readonly params: Readonly<Record<string, unknown>>;
  readonly clientId: string | undefined;
  /** Disabled ones too. */
  readonly client: ClientRecord | undefined;
  /** The engine's words. */
  readonly said: string | undefined;
}
