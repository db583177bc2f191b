/** Who calls and from where. Made once, by http for a request or by the command line, and passed down unchanged. */
export interface Caller {
  /** The entry point in audit records: `browser`, `account`, `cli`, `oauth`, the name of a surface. */
  readonly via: string;
  /** IP address. The command line has no address, user agent or request id. */
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
  /** Subject of the person who acts, if it is not the account itself. */
  readonly by?: string | undefined;
  /** The live session in which the user authenticates again. */
  readonly session?: string | undefined;
  /** The value of the browser's cookie (core/known-browsers). */
  readonly browser?: string | undefined;
  /** The language of mails to the caller. */
  readonly locale?: string | undefined;
}

/** The sender of a request always has an address and a request id. */
export type RequestCaller = Caller & Readonly<Record<'address' | 'requestId', string>>;
