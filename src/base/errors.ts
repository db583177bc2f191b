/** Errors that cross module borders. An outcome that callers expect is a value (a discriminated union) instead. */

/** A dependency (database, hash queue) cannot answer now. Every entry point answers 503 with `Retry-After`. */
export class Unavailable extends Error {
  /** The name of the dependency; safe to show: `database`, `busy`. */
  readonly what: string;
  /** Seconds until a retry makes sense (RFC 9110, section 10.2.3). */
  readonly retryAfter: number;
  /** A sentence for the operator: what is wrong, where, and which setting to check. Never part of a response. */
  readonly reason: string | undefined;

  constructor(what: string, options: { cause?: unknown; retryAfter?: number; reason?: string | undefined } = {}) {
    const { cause, reason } = options;
    super(reason ?? `${what} is not available`, cause === undefined ? {} : { cause });
    this.name = 'Unavailable';
    this.reason = reason;
    this.what = what;
    this.retryAfter = options.retryAfter ?? 1;
  }
}

/** A dependency answers but is set up in a way that this program cannot use. The message is for the operator. */
export class Unusable extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'Unusable';
  }
}

/** The configured database does not exist, and the caller must not create it. The message names its place. */
export class NoDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoDatabase';
  }
}

/** The codes of `Refusal` with their HTTP status. Each surface maps them to its own wire format. */
const refusals = {
  invalid_request: 400,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  unauthorized: 401,
  // RFC 6750, section 3.1.
  invalid_token: 401,
  // RFC 9449, sections 7.1 and 9.
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  insufficient_scope: 403,
  access_denied: 403,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  too_many_requests: 429,
} as const;

export type RefusalCode = keyof typeof refusals;

/** A refused input. The message is safe to show to the sender. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RefusalCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.status = refusals[code];
    this.headers = headers;
  }
}
