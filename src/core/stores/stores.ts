/**
 * The ports of storage: one file for each thing that is kept, and here all that SQL keeps, with what every port promises.
 * `storage/` implements them; the conformance and race suites under `test/storage/` hold each implementation to each promise.
 *
 * For all of them: a database that cannot answer (down, hung past the statement timeout, out of connections, disk full)
 * throws `Unavailable`; nothing else is thrown for a reason outside the program. A returned promise of a write means that
 * the write is durable. Times are seconds since the epoch unless a name says otherwise. Text may hold any Unicode string,
 * U+0000 and lone surrogates included, only inside JSON payloads; keys and names are plain text without U+0000.
 */
import type { AccountStore } from './accounts.ts';
import type { ApiStore } from './apis.ts';
import type { AuditStore } from './audit.ts';
import type { ChangeStore } from './changes.ts';
import type { ClientStore } from './clients.ts';
import type { ConsentStore } from './consents.ts';
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
import type { UseStore } from './use.ts';

/** All of SQL storage. */
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
  readonly endedTokens: EndedTokenStore;
  readonly consents: ConsentStore;
  readonly keys: KeyStore;
  readonly audit: AuditStore;
  readonly links: LinkStore;
  readonly leases: LeaseStore;
  readonly use: UseStore;
  readonly refusals: RefusalStore;
  /** Resolves when the database answers; throws `Unavailable` otherwise. */
  ping(): Promise<void>;
  /** Round trips to the database since the start: statements sent by themselves, transactions counted as one per statement. */
  roundTrips(): number;
  close(): Promise<void>;
}
