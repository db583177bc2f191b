/**
 * The endpoints of an API surface, as a table: path, then method, then the operation. Whatever goes wrong on one of these
 * paths is answered in the surface's own format, for browsers too; paths that are not in the table are left to others.
 */
import type { Context } from 'koa';
import type { ZodType } from 'zod';
import { Refusal } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { EndpointName } from '../../core/refusals/checks.ts';
import { ignoreBody, readForm, readJson } from '../../http/body.ts';
import { refusedOf, wordsFor } from '../../http/errors.ts';
import { hardenAnswer } from '../../http/hardening.ts';
import type { NoteRefusal } from '../../http/note-refusal.ts';
import type { Alias, Handle, Route } from '../../http/routes.ts';
import { mistakeIn, wordsOf } from './mistakes.ts';
import type { Description, Lazy, Method, Mistake, Operation, Read, SecurityScheme } from './operation.ts';

/** A row with GET answers HEAD as well; OPTIONS says what there is, unless the row has an answer of its own. */
export type Row<O extends Description = Operation> = Readonly<Partial<Record<Method, O>>> & {
  readonly OPTIONS?: Handle;
};

/** Path -> method -> operation. A path may have parameters: `/users/{id}`, then in `ctx.params.id`. */
export type Table<O extends Description = Operation> = Readonly<Record<string, Row<O>>>;

/** An API as the OpenAPI document tells of it. */
export interface Api<O extends Description = Description> {
  /** As in `SURFACES`. */
  readonly name: string;
  readonly title: string;
  /** A sentence or two: who calls it, and what for. */
  readonly about: string;
  /** People's own passwords are sent to it: the start says so. */
  readonly takesPasswords?: true;
  /** The table is mounted under each of these; the first is the one the documentation leads with. */
  readonly bases?: readonly string[];
  readonly table: Table<O>;
  /** Further addresses of this API, each with the path of another API that answers there. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** The schema of every error's body. */
  readonly failure: Lazy<ZodType>;
  /** Ways to authenticate that only this API has. */
  readonly schemes?: Readonly<Record<string, SecurityScheme>>;
}

interface Endpoints extends Api<Operation> {
  /** The body of an error. `code` is one of base/errors' codes, `temporarily_unavailable` or `server_error`. */
  readonly errorBody: (failure: { status: number; code: string; message: string }, ctx: Context) => object;
  /** As `Operation.onInvalid`, for all of them. */
  readonly onInvalid?: (mistake: Mistake) => Error;
}

/** What `SurfaceDeps` has of it is enough. */
interface Surroundings {
  readonly log: Logger;
  readonly noteRefusal: NoteRefusal;
  readonly config: { readonly issuer: string };
}

/** The surface that these endpoints are. */
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

/** A route for each row of the table, under each of its bases. `more`: who answers the row, and how. */
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
  const ways = operations.flatMap(({ security = [] }) => (security.length > 0 ? security : ['nobody']));
  return [...new Set(ways)].map((way) => (way === 'nobody' ? 'public' : way)).join(', ');
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
        // As everywhere in OAuth, a parameter without a value is one that was left out (RFC 6749, section 3.1).
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
  { errorBody, name }: Endpoints,
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
      // Not the address is unknown here, but what was asked for.
      const check = failure.code === 'not_found' ? ('no_such_record' as const) : undefined;
      const endpoint = name as EndpointName;
      // The originals fix the body, so the reference is in the header that every response has.
      ctx.set('X-Request-Id', noteRefusal(undefined, { ...refusedOf(ctx, failure), endpoint, check }));
    }
    ctx.body = errorBody(failure, ctx);
  }
}

async function formFields(ctx: Context): Promise<object> {
  return Object.fromEntries(await readForm(ctx));
}

/** The parameters that a query's schema names. */
async function shapeOf(schema: Lazy<ZodType>): Promise<object | undefined> {
  const { shape } = (await schema()) as ZodType & { shape?: object };
  return shape;
}

/** Even a module that is already there costs something to import again, and these are asked at each request. */
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
