/** A code that a user types for a device (RFC 8628), beside the device code, which is a row of the engine's tokens. */
export interface DeviceCodeBegun {
  /** Keyed digest of the user code. */
  readonly userCode: string;
  /** The key of the device code's row (`TokenRow`). */
  readonly tokenKey: string;
  /** Seconds that the device waits between two polls. */
  readonly interval: number;
  readonly expiresAt: number;
}

export interface DeviceCodeRow extends DeviceCodeBegun {
  /** The session uid of the browser that decides; null until a browser begins to. */
  readonly browser: string | null;
  /** Null before the first poll. */
  readonly polledAtMs: number | null;
  /** Whether the last poll came too early. */
  readonly early: boolean;
}

export interface PollPace {
  /** The poll came sooner than the interval allows. */
  readonly early: boolean;
  /** From now on, in seconds. */
  readonly interval: number;
}

export interface DeviceCodeStore {
  /** Returns false if the user code is stored and unexpired at `now`. Of concurrent calls one gets true. */
  insert(row: DeviceCodeBegun, now: number): Promise<boolean>;
  /** May return an expired row. */
  find(userCode: string): Promise<DeviceCodeRow | undefined>;
  /** Only the first browser gets true, and gets it again. */
  claim(userCode: string, browser: string): Promise<boolean>;
  /**
   * Notes a poll in one statement. One that comes before `least` of the interval has passed (0 to 1) raises the
   * interval by `step` seconds for good. Returns undefined if there is no such code.
   */
  poll(
    tokenKey: string,
    nowMs: number,
    rule: { readonly least: number; readonly step: number },
  ): Promise<PollPace | undefined>;
}
