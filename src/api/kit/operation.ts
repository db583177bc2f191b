/**
 * One operation of an API: what answers, and what the OpenAPI document says of it, in one place. The schema that checks the
 * input is the one that the document shows, so the two cannot drift apart.
 *
 * Schemas are given as functions that load them (`schemasOf`): zod costs 30 ms and 19 MB, and a start does not wait for it. Examples and descriptions of members are the schema's own: `.meta({ description, examples })`;
 * `.meta({ id })` makes it one of the document's named schemas.
 */
import type { Context } from 'koa';
import type { ZodType } from 'zod';

export type Lazy<T> = () => Promise<T>;
/** Schemas of a module, each loaded when it is needed: `const shapes = schemasOf(() => import('./shapes.ts'))`, then `body: shapes.loginBody`. */
export function schemasOf<M extends object>(load: () => Promise<M>): { readonly [Name in keyof M]: Lazy<M[Name]> } {
  const named = { get: (_none: object, name: string) => async () => Reflect.get(await load(), name) };
  return new Proxy({}, named) as { readonly [Name in keyof M]: Lazy<M[Name]> };
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What the document says of an operation. */
export interface Description<B = unknown, Q = unknown> {
  /** A few words, as a heading. */
  readonly summary: string;
  /** More, in whole sentences. */
  readonly description?: string;
  /**
   * Ways to authenticate, each by itself enough; none: anybody may call it. Names of `schemes`, or of the surface's own;
   * `nobody` beside others: also without.
   */
  readonly security?: readonly string[];
  /** The schema of the body. Members that it does not name are ignored, unless it says otherwise. */
  readonly body?: Lazy<ZodType<B>>;
  /** How the body is written; JSON unless this says otherwise. */
  readonly bodyType?: 'json' | 'form' | 'either';
  /** The schema of the query: an object of strings. One of its parameters given twice is refused, an empty one was left out. */
  readonly query?: Lazy<ZodType<Q>>;
  /** Request headers beside those of `security`, with a sentence each. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What each `{parameter}` of the path is. */
  readonly params?: Readonly<Record<string, string>>;
  /** By status. What every endpoint may answer (413, 415, 503 …) need not be listed. */
  readonly answers: Readonly<Record<number, Answer | string>>;
}

/** A string alone is the description of an answer that has the surface's error body (400 and up) or none. */
export interface Answer {
  readonly description: string;
  /** Undefined: the surface's error body from 400 up, otherwise none. */
  readonly body?: Lazy<ZodType> | 'none';
  /** Of a body that is not `application/json`; without a schema it is not described further. */
  readonly type?: string;
  /** Headers that a caller needs, with a sentence each. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Reads the input at the moment the handler chooses: after the admin key or the token, so that a stranger learns nothing about
 * what would be accepted. Both throw what `onInvalid` makes of a mistake.
 */
export interface Read<B, Q> {
  /** The body as the schema has it. Without a schema a body is read as far as the limit, and ignored. */
  body(): Promise<B>;
  query(): Promise<Q>;
}

/** The first thing that is wrong with the input. */
export interface Mistake {
  readonly part: 'body' | 'query';
  /** The member or parameter; empty: the whole. */
  readonly member: string;
  readonly missing: boolean;
  /** `username must be given, as a string`. Never repeats a value of the input. */
  readonly message: string;
}

export interface Operation<B = unknown, Q = unknown> extends Description<B, Q> {
  /** What is thrown for a mistake in the input: `Refusal('invalid_request', message)` unless this or the surface says otherwise. */
  readonly onInvalid?: (mistake: Mistake) => Error;
  /** Of a GET that changes something: HEAD is refused. */
  readonly head?: false;
  /** Written as a method, so that operations of different types fit into one table. */
  handle(ctx: Context, read: Read<B, Q>): void | Promise<void>;
}

/** Infers the types of body and query from their schemas. */
export function operation<B = undefined, Q = undefined>(made: Operation<B, Q>): Operation {
  return made as Operation;
}

/** OpenAPI's security scheme object, as far as it is used here. */
export type SecurityScheme = { readonly description: string } & (
  | { readonly type: 'http'; readonly scheme: 'basic' | 'bearer'; readonly bearerFormat?: string }
  | { readonly type: 'apiKey'; readonly in: 'header'; readonly name: string }
);

/** The ways to authenticate that several surfaces share. */
export const schemes = {
  adminKey: { type: 'apiKey', in: 'header', name: 'X-Admin-Key', description: 'One of the keys in ADMIN_KEY.' },
} as const satisfies Record<string, SecurityScheme>;
