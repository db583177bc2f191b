/** Who calls, and from where: made once, by http for a request or by the command line, and handed down as it is. */
export interface Caller {
  /** The entry point, as audit records name it: `browser`, `account`, `cli`, `oauth`, the name of a surface. */
  readonly via: string;
  /** IP address. Left out by the command line, as the next two are. */
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly requestId?: string | undefined;
  /** Subject of the person who acts, where it is not the account itself. */
  readonly by?: string | undefined;
  /** The live session of the very person who proves themselves once more. */
  readonly session?: string | undefined;
  /** What the browser is known by (core/known-browsers). */
  readonly browser?: string | undefined;
  /** Their language, for a mail that follows. */
  readonly locale?: string | undefined;
}

/** The sender of a request: these two are always known. */
export type RequestCaller = Caller & Readonly<Record<'address' | 'requestId', string>>;
