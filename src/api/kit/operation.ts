/**
 * One operation of an API: its handler and its description in the OpenAPI document. One schema checks the input and
 * describes it, so the two always agree.
 *
 * Schemas are loaded on first use (`schemasOf`), because zod costs 30 ms and 19 MB. A schema has its own examples and
 * descriptions: `.meta({ description, examples })`. `.meta({ id })` makes it a named schema of the document.
 */
import type { Context } from 'koa';
import type { ZodType } from 'zod';

export type Lazy<T> = () => Promise<T>;
/** The schemas of a module, loaded on first use: `schemasOf(() => import('./shapes.ts'))`. */
export function schemasOf<M extends object>(load: () => Promise<M>): { readonly [Name in keyof M]: Lazy<M[Name]> } {
  const named = { get: (_none: object, name: string) => async () => Reflect.get(await load(), name) };
  return new Proxy({}, named) as { readonly [Name in keyof M]: Lazy<M[Name]> };
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What the OpenAPI document says about an operation. */
export interface Description<B = unknown, Q = unknown> {
  /** A few words, as a heading. */
  readonly summary: string;
  /** Further details, in full sentences. */
  readonly description?: string;
  /**
   * Accepted authentication: names of `schemes` or of the surface's own. Empty: no authentication. `public` beside
   * others: authentication is optional.
   */
  readonly security?: readonly string[];
  /** The schema of the body. Unknown members are ignored, unless the schema forbids them. */
  readonly body?: Lazy<ZodType<B>>;
  /** Default: JSON. */
  readonly bodyType?: 'json' | 'form' | 'either';
  /** The schema of the query, an object of strings. A repeated parameter is refused; an empty one counts as omitted. */
  readonly query?: Lazy<ZodType<Q>>;
  /** Request headers besides those of `security`, each with a sentence. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A sentence for each `{parameter}` of the path. */
  readonly params?: Readonly<Record<string, string>>;
  /** Responses by status. Those of every endpoint (413, 415, 503 …) need not be listed. */
  readonly answers: Readonly<Record<number, Answer | string>>;
}

/** A plain string describes a response with the surface's error body (400 and above) or no body. */
export interface Answer {
  readonly description: string;
  /** Default: the surface's error body from 400, otherwise none. */
  readonly body?: Lazy<ZodType> | 'none';
  /** The media type, if it is not `application/json`. */
  readonly type?: string;
  /** Response headers that a caller needs, each with a sentence. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Reads the input when the handler asks for it: after authentication, so callers without it learn nothing about valid
 * input. Both methods throw the error that `onInvalid` returns.
 */
export interface Read<B, Q> {
  /** The parsed body. Without a schema the body is read up to the size limit and ignored. */
  body(): Promise<B>;
  query(): Promise<Q>;
}

/** The first error in the input. */
export interface Mistake {
  readonly part: 'body' | 'query';
  /** The member or parameter; empty for the input as a whole. */
  readonly member: string;
  readonly missing: boolean;
  /** `username must be given, as a string`. Never contains a value from the input. */
  readonly message: string;
}

export interface Operation<B = unknown, Q = unknown> extends Description<B, Q> {
  /** Converts a mistake to an error. Default: the surface's, or `Refusal('invalid_request', message)`. */
  readonly onInvalid?: (mistake: Mistake) => Error;
  /** Refuses HEAD, for a GET with side effects. */
  readonly head?: false;
  /** A method, not a property, so that operations of different types fit into one table. */
  handle(ctx: Context, read: Read<B, Q>): void | Promise<void>;
}

/** Infers the types of body and query from their schemas. */
export function operation<B = undefined, Q = undefined>(made: Operation<B, Q>): Operation {
  return made as Operation;
}

/** The parts of OpenAPI's security scheme object that are used here. */
export type SecurityScheme = { readonly description: string } & (
  | { readonly type: 'http'; readonly scheme: 'basic' | 'bearer'; readonly bearerFormat?: string }
  | { readonly type: 'apiKey'; readonly in: 'header'; readonly name: string }
);

/** Security schemes that several surfaces share. */
export const schemes = {
  adminKey: { type: 'apiKey', in: 'header', name: 'X-Admin-Key', description: 'One of the keys in `ADMIN_KEY`.' },
} as const satisfies Record<string, SecurityScheme>;
