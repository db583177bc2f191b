/** The port for requests to addresses that a client named. Addresses that an operator configured do not use it. */

export interface OutgoingRequest {
  readonly url: string;
  /** For the log and the metric. */
  readonly purpose: 'keys' | 'metadata document' | 'logo' | 'sector identifier' | 'back-channel logout';
  /** Whether an operator has reviewed the client that named the address. Otherwise `OUTBOUND_ALLOW` does not apply. */
  readonly reviewed: boolean;
  /** Default: GET. */
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: 64 KiB. A longer body is refused. */
  readonly maxBytes?: number;
  /** For the whole request, from the name to the last byte. Default: 3000. */
  readonly timeoutMs?: number;
  /** True: the connection is closed after the headers, and `body` of the answer is empty. */
  readonly ignoreBody?: boolean;
  /** Ends the request early, as a failure. */
  readonly signal?: AbortSignal;
}

/** The rule that an address or its answer breaks. */
export type OutgoingRule = 'url' | 'scheme' | 'address' | 'redirect' | 'size';

/** Why there is no answer. */
type OutgoingFault = 'name' | 'connection' | 'certificate' | 'time' | 'proxy';

interface OutgoingAnswered {
  readonly outcome: 'answered';
  /** Never a redirect. */
  readonly status: number;
  /** By names in lower case; values of a repeated header are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** `reason`: one printable sentence about the address, for operators and developers. It repeats no answer. */
export type OutgoingAnswer =
  | OutgoingAnswered
  | { readonly outcome: 'refused'; readonly rule: OutgoingRule; readonly reason: string }
  | { readonly outcome: 'failed'; readonly fault: OutgoingFault; readonly reason: string };

export interface Outgoing {
  /** Follows no redirect, and connects only to public addresses, and to those of `OUTBOUND_ALLOW`. Never throws. */
  fetch(request: OutgoingRequest): Promise<OutgoingAnswer>;
}
