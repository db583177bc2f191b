/**
 * The errors that cross a border. An outcome that a caller expects is a value (a discriminated union), not one of these.
 */

/** A dependency (database, hash queue) cannot answer now: 503 with `Retry-After` at every door. */
export class Unavailable extends Error {
  /** What is down, in a word that may be shown: `database`, `busy`. */
  readonly what: string;
  /** Seconds after which another try makes sense (RFC 9110, section 10.2.3). */
  readonly retryAfter: number;
  /** A sentence for those who run the server: what is wrong, where, and which setting to look at. Never for an answer. */
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

/** A dependency answers, but cannot be used as it is set up. The message is for the operator. */
export class Unusable extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = 'Unusable';
  }
}

/** There is no database where the settings say, and none is to be made. The message says where that is. */
export class NoDatabase extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoDatabase';
  }
}

/** The codes of `Refusal`, each with the HTTP status it stands for. A surface gives it its own wire format. */
const refusals = {
  invalid_request: 400,
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  unauthorized: 401,
  // RFC 6750, section 3.1.
  invalid_token: 401,
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

/** Input that is refused for a reason its sender may read. */
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
