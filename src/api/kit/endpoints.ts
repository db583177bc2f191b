/**
 * The endpoints of an API surface as a table: path, method, operation. All errors on these paths have the surface's own
 * format, also for browsers. Paths that are not in the table are left to other entry points.
 */
import type { Context } from 'koa';
import type { ZodType } from 'zod';
import { Refusal } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { EndpointName } from '../../core/refusals/checks.ts';
import { ignoreBody, readForm, readJson } from '../../http/body.ts';
import { ProofRefusal } from '../../http/dpop.ts';
import { refusedOf, wordsFor } from '../../http/errors.ts';
import { hardenAnswer } from '../../http/hardening.ts';
import type { NoteRefusal, RefusedRequest } from '../../http/note-refusal.ts';
import type { Alias, Handle, Route } from '../../http/routes.ts';
import { mistakeIn, wordsOf } from './mistakes.ts';
import type { Description, Lazy, Method, Mistake, Operation, Read, SecurityScheme } from './operation.ts';

/** A row with GET also answers HEAD. OPTIONS lists the methods, unless the row defines it. */
export type Row<O extends Description = Operation> = Readonly<Partial<Record<Method, O>>> & {
  readonly OPTIONS?: Handle;
};

/** Path -> method -> operation. A parameter of a path, as in `/users/{id}`, is in `ctx.params.id`. */
export type Table<O extends Description = Operation> = Readonly<Record<string, Row<O>>>;

/** An API as the OpenAPI document describes it. */
export interface Api<O extends Description = Description> {
  /** The name in `SURFACES`. */
  readonly name: string;
  readonly title: string;
  /** One or two sentences: who calls the API, and for what. */
  readonly about: string;
  /** People's passwords are sent to this API. The server logs a notice about it at start. */
  readonly takesPasswords?: true;
  /** The base paths of the table. The documentation shows the first. */
  readonly bases?: readonly string[];
  readonly table: Table<O>;
  /** Further paths of this API, each with the path of another API's endpoint that answers there. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** The schema of all error bodies. */
  readonly failure: Lazy<ZodType>;
  /** Security schemes of this API alone. */
  readonly schemes?: Readonly<Record<string, SecurityScheme>>;
}

interface Endpoints extends Api<Operation> {
  /** The body of an error. `code` is a code of base/errors, `temporarily_unavailable` or `server_error`. */
  readonly errorBody: (failure: { status: number; code: string; message: string }, ctx: Context) => object;
  /** What the record of this refusal says beside the response. */
  readonly recorded?: (error: unknown) => Partial<Pick<RefusedRequest, 'check' | 'clientId'>>;
  /** The default of `Operation.onInvalid`. */
  readonly onInvalid?: (mistake: Mistake) => Error;
}

/** The parts of `SurfaceDeps` that the endpoints need. */
interface Surroundings {
  readonly log: Logger;
  readonly noteRefusal: NoteRefusal;
  readonly config: { readonly issuer: string };
}

/** Creates the surface of these endpoints. */
export function createEndpoints(endpoints: Endpoints, surroundings: Surroundings) {
  const entry = `api/${endpoints.name}`;
  const frame: Route['frame'] = (ctx, act) => answer(ctx, act, endpoints, surroundings);
  const routes = apiRoutes(endpoints, entry, (path) => {
    const { OPTIONS, ...operations } = endpoints.table[path] ?? {};
    const answers = Object.entries(operations).map(([method, made]) => [method, answering(made, endpoints)] as const);
    return { handlers: { ...Object.fromEntries(answers), ...(OPTIONS && { OPTIONS }) }, frame };
  });
  const aliases = Object.entries(endpoints.aliases ?? {}).map(([path, sameAs]): Alias => ({ path, entry, sameAs }));
  return { name: endpoints.name, api: endpoints, routes: [...routes, ...aliases] };
}

/** The routes of the table, under each base path. `more` adds the handlers. */
export function apiRoutes(
  { table, bases = [''] }: Pick<Api, 'table' | 'bases'>,
  entry: string,
  more: (path: string) => Partial<Route>,
): readonly Route[] {
  return bases.flatMap((base) =>
    Object.entries(table).map(([path, { OPTIONS: _, ...operations }]) => ({
      path: base + path.replaceAll(/\{(\w+)\}/g, ':$1'),
      methods: methodsOf(operations),
      access: accessOf(Object.values(operations)),
      entry,
      ...more(path),
    })),
  );
}

function methodsOf(operations: { readonly GET?: Description & { readonly head?: false } }): readonly string[] {
  const answersHead = operations.GET && operations.GET.head !== false;
  return [...Object.keys(operations), ...(answersHead ? ['HEAD'] : []), 'OPTIONS'];
}

/** The security schemes of all operations. */
function accessOf(operations: readonly Description[]): string {
  const ways = operations.flatMap(({ security = [] }) => (security.length > 0 ? security : ['public']));
  return [...new Set(ways)].join(', ');
}

function answering(operation: Operation, { onInvalid }: Endpoints): Handle {
  const wrong = operation.onInvalid ?? onInvalid ?? (({ message }) => new Refusal('invalid_request', message));
  const bodySchema = once(operation.body);
  const querySchema = once(operation.query);
  const { bodyType = 'json' } = operation;

  function readBody(ctx: Context): Promise<object> {
    const form = bodyType === 'form' || (bodyType === 'either' && ctx.is('application/x-www-form-urlencoded'));
    return form ? formFields(ctx) : readJson(ctx);
  }

  async function check(part: Mistake['part'], schema: Lazy<ZodType>, input: object): Promise<unknown> {
    const result = (await schema()).safeParse(input, { error: wordsOf });
    if (result.success) return result.data;
    throw wrong(mistakeIn(part, result.error, input));
  }

  return (ctx) => {
    const read: Read<unknown, unknown> = {
      body: async () => (bodySchema ? check('body', bodySchema, await readBody(ctx)) : ignoreBody(ctx)),
      async query() {
        if (!querySchema) return undefined;
        const { query } = ctx;
        const known = Object.keys((await shapeOf(querySchema)) ?? query);
        const twice = known.find((name) => Array.isArray(query[name]));
        if (twice !== undefined) {
          throw wrong({ part: 'query', member: twice, missing: false, message: `${twice} must be given once` });
        }
        // A parameter without a value counts as omitted (RFC 6749, section 3.1).
        const given = known.filter((name) => query[name]).map((name) => [name, query[name]] as const);
        return check('query', querySchema, Object.fromEntries(given));
      },
    };
    return operation.handle(ctx, read);
  };
}

async function answer(
  ctx: Context,
  act: () => unknown,
  { recorded, errorBody, name }: Endpoints,
  { log, config, noteRefusal }: Surroundings,
): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  hardenAnswer(ctx.res, config.issuer.startsWith('https:'));
  try {
    await act();
  } catch (error) {
    const failure = wordsFor(error, log, ctx);
    ctx.set(failure.headers);
    ctx.status = failure.status;
    if (failure.status < 500) {
      // The path exists, but the record does not.
      const check = failure.code === 'not_found' ? ('no_such_record' as const) : undefined;
      const endpoint = name as EndpointName;
      const facts = error instanceof ProofRefusal ? error.facts : {};
      // The wire format of the bodies is fixed, so the reference is in a header.
      ctx.set(
        'X-Request-Id',
        noteRefusal(undefined, { ...refusedOf(ctx, failure), endpoint, check, ...facts, ...recorded?.(error) }),
      );
    }
    ctx.body = errorBody(failure, ctx);
  }
}

async function formFields(ctx: Context): Promise<object> {
  return Object.fromEntries(await readForm(ctx));
}

/** The parameters in a query's schema. */
async function shapeOf(schema: Lazy<ZodType>): Promise<object | undefined> {
  const { shape } = (await schema()) as ZodType & { shape?: object };
  return shape;
}

/** Caches the schema: even a repeated dynamic import is too slow for each request. */
function once<T>(load: Lazy<T> | undefined): Lazy<T> | undefined {
  if (!load) return undefined;
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load().catch((error) => {
      loaded = undefined;
      throw error;
    });
    return loaded;
  };
}
