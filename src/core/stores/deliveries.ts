import type { JsonObject } from '../../base/json.ts';

/** `waiting`: to be sent, perhaps again. `failed`: given up. `dropped`: no longer wanted. */
export const deliveryStates = ['waiting', 'delivered', 'failed', 'dropped'] as const;
type DeliveryState = (typeof deliveryStates)[number];

/** A message that a client must get. It is written in the transaction of its cause, and sent later. */
export interface NewDelivery {
  /** Decides how the message is made and sent. */
  readonly kind: string;
  readonly clientId: string;
  /** While a delivery with this key waits, further ones are merged into it. */
  readonly mergeKey: string;
  /** What the message is made from at the time of sending. */
  readonly facts: JsonObject;
  readonly createdAt: number;
  /** An attempt that fails after this time is the last one. */
  readonly giveUpAt: number;
  readonly dueMs: number;
}

export interface Delivery extends Omit<NewDelivery, 'mergeKey'> {
  readonly id: number;
  /** Null: settled, or retried by an operator. */
  readonly mergeKey: string | null;
  readonly state: DeliveryState;
  /** Rises when a further delivery is merged into this one. */
  readonly version: number;
  readonly attempts: number;
  /** Outcome of the last attempt in words, and its time. */
  readonly lastOutcome: string | null;
  readonly lastAt: number | null;
  readonly settledAt: number | null;
}

/** A client's part of a session that has ended, which its back-channel logout tells it. */
export interface EndedPart {
  readonly clientId: string;
  readonly subject: string;
  /** The session's name in the client's ID tokens. Null: the client has none. */
  readonly sid: string | null;
}

/** A client with waiting deliveries. */
export interface WaitingClient {
  readonly clientId: string;
  /** When the first of them is due. */
  readonly dueMs: number;
  /** A process sends to this client, or lets it rest, until then; 0: none does. */
  readonly claimedUntilMs: number;
}

/** The outcome of an attempt. */
export interface Attempted {
  readonly lastOutcome: string;
  readonly lastAt: number;
  /** The state of a settled delivery, or when the next attempt is due. */
  readonly next: Exclude<DeliveryState, 'waiting'> | { readonly dueMs: number };
}

interface DeliveryFilter {
  readonly clientId?: string | undefined;
  readonly state?: DeliveryState | undefined;
  /** Only ids below this one. */
  readonly before?: number | undefined;
}

export interface DeliveryStore {
  /** Calls `listener` after each commit of this process that wrote deliveries. Others see a `delivery` change. */
  onWritten(listener: () => void): () => void;
  /** Those that can be sent to first come first; at most 1000. */
  waitingClients(): Promise<WaitingClient[]>;
  /**
   * Claims a client, or renews the claim. Of several processes one gets true; the others get false until `untilMs`. The
   * rest of a client can be claimed only after its end.
   */
  claim(clientId: string, holder: string, untilMs: number, nowMs: number): Promise<boolean>;
  release(clientId: string, holder: string): Promise<void>;
  /** Turns the claim into a rest: no process claims the client before `untilMs`. */
  rest(clientId: string, holder: string, untilMs: number): Promise<void>;
  /** Waiting deliveries of the client that are due, the earliest first. */
  due(clientId: string, nowMs: number, limit: number): Promise<Delivery[]>;
  /**
   * Stores the outcome of an attempt. Returns `merged` if a further delivery was merged since `delivery` was read: then
   * it stays waiting, and is due at once.
   */
  attempted(delivery: Pick<Delivery, 'id' | 'version'>, outcome: Attempted): Promise<'stored' | 'merged'>;
  /** Newest first; `limit` is at most 1000. */
  list(filter: DeliveryFilter, limit: number): Promise<Delivery[]>;
  /**
   * Makes waiting deliveries due, and failed ones waiting again until `giveUpAt`, and ends the rest of their clients.
   * Returns how many. Notes a `delivery` change.
   */
  retry(
    which: { readonly id: number } | { readonly clientId: string },
    nowMs: number,
    giveUpAt: number,
  ): Promise<number>;
  countWaiting(): Promise<number>;
  /** Fails up to `limit` deliveries whose `giveUpAt` is before `before`. Returns how many of each client. */
  giveUp(before: number, now: number, limit: number): Promise<{ clientId: string; count: number }[]>;
  /** Removes up to `limit` deliveries that were settled before `before`, and returns how many. */
  prune(before: number, limit: number): Promise<number>;
}
