/**
 * The ports of storage, one file per record. `storage/` implements them; the suites in `test/storage/` test each
 * promise.
 *
 * All ports throw `Unavailable` if the database cannot answer: it is down, the statement timed out, no connection is
 * free, the disk is full. They throw nothing else for a reason outside the program. A resolved write is durable. Times
 * are seconds since the epoch, or milliseconds where the name ends in `Ms`. JSON payloads may hold any Unicode string,
 * U+0000 and lone surrogates included; keys and names may not.
 */
import type { AccountStore } from './accounts.ts';
import type { ApiStore } from './apis.ts';
import type { AuditStore } from './audit.ts';
import type { ChangeStore } from './changes.ts';
import type { ClientStore } from './clients.ts';
import type { ConsentStore } from './consents.ts';
import type { DeliveryStore } from './deliveries.ts';
import type { DeviceCodeStore } from './device-codes.ts';
import type { EndedTokenStore } from './ended-tokens.ts';
import type { EngineStore } from './engine.ts';
import type { FactorStore } from './factors.ts';
import type { GroupStore } from './groups.ts';
import type { IdentityStore } from './identities.ts';
import type { KeyStore } from './keys.ts';
import type { KnownBrowserStore } from './known-browsers.ts';
import type { LeaseStore } from './leases.ts';
import type { LinkStore } from './links.ts';
import type { PasskeyStore } from './passkeys.ts';
import type { RefusalStore } from './refusals.ts';
import type { RegistrationStore } from './registrations.ts';
import type { UseStore } from './use.ts';
import type { ChangeChannel } from './volatile/change-channel.ts';
import type { ClientCache } from './volatile/client-cache.ts';
import type { Throttle } from './volatile/throttle.ts';

/** Everything that the SQL database stores. */
export interface Stores {
  readonly accounts: AccountStore;
  readonly factors: FactorStore;
  readonly passkeys: PasskeyStore;
  readonly identities: IdentityStore;
  readonly knownBrowsers: KnownBrowserStore;
  readonly groups: GroupStore;
  readonly clients: ClientStore;
  readonly apis: ApiStore;
  readonly changes: ChangeStore;
  readonly engine: EngineStore;
  readonly deviceCodes: DeviceCodeStore;
  readonly endedTokens: EndedTokenStore;
  readonly consents: ConsentStore;
  readonly keys: KeyStore;
  readonly audit: AuditStore;
  readonly links: LinkStore;
  readonly leases: LeaseStore;
  readonly use: UseStore;
  readonly refusals: RefusalStore;
  readonly deliveries: DeliveryStore;
  readonly registrations: RegistrationStore;
  /** Resolves if the database answers; throws `Unavailable` otherwise. */
  ping(): Promise<void>;
  /** Statements sent to the database since the start, each statement of a transaction counted. */
  roundTrips(): number;
  close(): Promise<void>;
}

/** SQL storage, and what may live in Redis: there or in this process. */
export interface Storage {
  readonly stores: Stores;
  readonly throttle: Throttle;
  readonly channel: ChangeChannel;
  /** Undefined: each process keeps copies of clients for itself alone. */
  readonly cache: ClientCache | undefined;
  close(): Promise<void>;
}
