/** The facts of a refusal by the engine: before it is recorded, and as the page and a developer's response show it. */
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Apis } from '../../core/apis/apis.ts';
import type { MetadataClients } from '../../core/metadata-clients/metadata-clients.ts';
import type { Check } from '../../core/refusals/check.ts';
import type { CheckName } from '../../core/refusals/checks.ts';
import type { Refused } from '../../core/refusals/refusals.ts';
import type { ClientRecord } from '../../core/stores/clients.ts';

export interface Facts extends Pick<Refused, 'expected' | 'received' | 'nearest' | 'advice' | 'look'> {
  /** A more exact check than the one that the engine's text names. */
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
  readonly config: { readonly protocol: { readonly mcp: boolean } };
  readonly metadataClients: Pick<MetadataClients, 'why'>;
  /** Registered client IDs similar to a wrong one. */
  readonly clientIdsNear: (id: string) => Promise<readonly string[]>;
  /** Seconds in which a replaced refresh token of this client still returns its replacement. */
  readonly reuseWindowOf: (clientId: string | null) => Promise<number>;
}

/** The input for the facts of a refusal. */
export interface Asked {
  readonly ctx: KoaContextWithOIDC;
  readonly params: Readonly<Record<string, unknown>>;
  readonly clientId: string | undefined;
  /** Also set for a disabled client. */
  readonly client: ClientRecord | undefined;
  /** The engine's text. */
  readonly said: string | undefined;
}
