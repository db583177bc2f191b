/**
 * Builds the OpenAPI 3.1 document from the operations' descriptions (operation.ts) and input schemas. zod writes the
 * schemas as JSON Schema 2020-12. zod is loaded here, on the first request for the document.
 */
import type { ZodType, z } from 'zod';
import type { Api } from './endpoints.ts';
import { type Answer, type Description, type Method, type SecurityScheme, schemes } from './operation.ts';

export type Schema = { readonly [keyword: string]: unknown };

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
interface DocumentedAnswer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>;
  readonly content?: Content;
}
export interface DocumentedOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, DocumentedAnswer>>;
}

export interface OpenApi {
  readonly openapi: '3.1.1';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly {
    readonly name: string;
    readonly description: string;
    readonly externalDocs: { readonly url: string };
  }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, SecurityScheme>>;
    readonly schemas: Readonly<Record<string, Schema>>;
  };
}

interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly issuer: string;
  /** The active APIs, in display order. */
  readonly apis: readonly Api[];
}

const formType = 'application/x-www-form-urlencoded';

const about =
  'Responses with tokens or personal data have `Cache-Control: no-store`. Paths that support GET support HEAD, unless the operation says otherwise; ' +
  'OPTIONS lists the methods of a path. Other methods get 405 with `Allow`, in the error format of the API. ' +
  'JSON bodies are UTF-8, at most 64 KiB, nested at most 32 levels deep, without repeated members. ' +
  'Unknown members are ignored.';

/** Throws if two operations or two different schemas have the same name. */
export async function buildOpenApi({ title, version, issuer, apis }: OpenApiOptions): Promise<OpenApi> {
  const { z } = await import('zod');
  const schemas = createSchemas(z);
  const paths: Record<string, Record<string, DocumentedOperation>> = {};
  const ids = new Set<string>();
  const securitySchemes: Record<string, SecurityScheme> = {};

  async function add(api: Api, path: string, under: string, tag: string): Promise<void> {
    const { OPTIONS: _, ...row } = api.table[path] ?? {};
    for (const [method, operation] of Object.entries(row) as [Method, Description][]) {
      const operationId = idOf(method, under);
      if (ids.has(operationId)) throw new Error(`duplicate operation id "${operationId}"`);
      ids.add(operationId);
      const documented: DocumentedOperation = {
        operationId,
        tags: [tag],
        summary: operation.summary,
        ...(operation.description === undefined ? {} : { description: operation.description }),
        security: securityOf(api, operation, securitySchemes),
        ...(await inputOf(api, operation, path, schemas)),
        responses: await answersOf(api, operation, method, schemas),
      };
      paths[under] = { ...paths[under], [method.toLowerCase()]: documented };
    }
  }

  for (const api of apis) {
    schemas.of(api, await api.failure(), 'output');
    for (const path of Object.keys(api.table)) {
      for (const base of api.bases ?? ['']) await add(api, path, base + path, api.title);
    }
    for (const [address, path] of Object.entries(api.aliases ?? {})) {
      const owner = apis.find(({ table }) => table[path]);
      if (owner) await add(owner, path, address, api.title);
    }
  }
  return {
    openapi: '3.1.1',
    info: { title, version, description: about },
    servers: [{ url: issuer }],
    tags: apis.map(({ name, title, about: description }) => ({
      name: title,
      description,
      externalDocs: { url: `${issuer}/openapi/${name}` },
    })),
    paths,
    components: { securitySchemes, schemas: schemas.named },
  };
}

/** `POST /clients/register` -> `postClientsRegister`, for code generators. */
function idOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function securityOf(api: Api, { security = [] }: Description, all: Record<string, SecurityScheme>) {
  return security.map((name): Record<string, readonly string[]> => {
    // Also callable without authentication.
    if (name === 'public') return {};
    const own = api.schemes?.[name];
    const scheme = own ?? (schemes as Readonly<Record<string, SecurityScheme>>)[name];
    if (!scheme) throw new Error(`unknown security scheme "${name}"`);
    const known = own ? `${api.name}.${name}` : name;
    all[known] = scheme;
    return { [known]: [] };
  });
}

async function inputOf(api: Api, operation: Description, path: string, schemas: Schemas) {
  const parameters: Parameter[] = [];
  for (const [, name = ''] of path.matchAll(/\{(\w+)\}/g)) {
    const description = operation.params?.[name] ?? '';
    parameters.push({ name, in: 'path', required: true, description, schema: { type: 'string' } });
  }
  if (operation.query) {
    const { properties = {}, required = [] } = schemas.of(api, await operation.query(), 'input') as {
      properties?: Record<string, Schema & { description?: string }>;
      required?: string[];
    };
    for (const [name, { description, ...schema }] of Object.entries(properties)) {
      const given = description === undefined ? {} : { description };
      parameters.push({ name, in: 'query', required: required.includes(name), ...given, schema });
    }
  }
  for (const [name, description] of Object.entries(operation.headers ?? {})) {
    parameters.push({ name, in: 'header', required: false, description, schema: { type: 'string' } });
  }
  const types = { json: ['application/json'], form: [formType], either: ['application/json', formType] };
  const schema = operation.body && schemas.of(api, await operation.body(), 'input');
  const content = Object.fromEntries(
    types[operation.bodyType ?? 'json'].map((type) => [type, schema ? { schema } : {}]),
  );
  return {
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(schema ? { requestBody: { required: true, content } as const } : {}),
  };
}

async function answersOf(api: Api, operation: Description, method: Method, schemas: Schemas) {
  const answers: Record<string, DocumentedAnswer> = {};
  // Numeric object keys are always in ascending order.
  for (const [status, said] of Object.entries({ ...implied(operation, method), ...operation.answers })) {
    const answer: Answer = typeof said === 'string' ? { description: said } : said;
    const headers = Object.entries({
      ...(status === '429' || status === '503' ? { 'Retry-After': 'Seconds to wait before retrying.' } : {}),
      ...answer.headers,
    });
    const body = answer.body ?? (Number(status) >= 400 && !answer.type ? api.failure : undefined);
    answers[status] = {
      description: answer.description,
      ...(headers.length > 0
        ? {
            headers: Object.fromEntries(
              headers.map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
            ),
          }
        : {}),
      ...(typeof body === 'function'
        ? { content: { [answer.type ?? 'application/json']: { schema: schemas.of(api, await body(), 'output') } } }
        : answer.type
          ? { content: { [answer.type]: {} } }
          : {}),
    };
  }
  return answers;
}

/** Responses of `createEndpoints`. A description without a handler lists all of its responses itself. */
function implied(operation: Description, method: Method): Record<number, string> {
  if (!('handle' in operation)) return {};
  const form = operation.bodyType === 'form';
  return {
    ...(operation.query ? { 400: 'A parameter is missing, invalid or repeated.' } : {}),
    ...(operation.body ? { 400: 'The body is malformed, or a member is missing or invalid.' } : {}),
    ...(method === 'GET' ? {} : { 413: 'The body is larger than 64 KiB.' }),
    ...(operation.body
      ? { 415: form ? 'The body is not a form.' : 'The body is not JSON in UTF-8, or is compressed.' }
      : {}),
    503: 'A dependency of this server is unavailable.',
  };
}

interface Schemas {
  readonly named: Readonly<Record<string, Schema>>;
  /** Replaces named schemas by references into the document. */
  of(api: Api, schema: ZodType, io: 'input' | 'output'): Schema;
}

function createSchemas({ toJSONSchema, globalRegistry }: typeof z): Schemas {
  const named: Record<string, Schema> = {};
  const options = {
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // zod omits the examples of a schema with transforms, because they may describe the output.
      const { examples } = globalRegistry.get(zodSchema) ?? {};
      if (Array.isArray(examples)) jsonSchema.examples = examples;
    },
  } satisfies z.core.ToJSONSchemaParams;
  return {
    named,
    of(api, schema, io) {
      const { $schema: _, $defs = {}, ...root } = toJSONSchema(schema, { ...options, io });
      for (const [id, definition] of Object.entries($defs)) {
        const name = `${api.name}.${id}`;
        const written = tidy(api, definition) as Schema;
        if (named[name] && JSON.stringify(named[name]) !== JSON.stringify(written)) {
          throw new Error(`two different schemas are named "${name}"`);
        }
        named[name] = written;
      }
      return tidy(api, root) as Schema;
    },
  };
}

/** Rewrites references for the document and shortens verbose output of zod. */
function tidy(api: Api, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => tidy(api, item));
  if (typeof value !== 'object' || value === null) return value;
  const { anyOf, ...rest } = value as { anyOf?: Schema[] };
  const [one, other, ...more] = anyOf ?? [];
  if (one && other?.type === 'null' && more.length === 0 && typeof one.type === 'string' && !one.enum && !one.const) {
    return tidy(api, { ...one, ...rest, type: [one.type, 'null'] });
  }
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => Math.abs(Number(member)) !== Number.MAX_SAFE_INTEGER)
      .map(([keyword, member]) => [
        keyword,
        keyword === '$ref'
          ? String(member).replace('#/$defs/', `#/components/schemas/${api.name}.`)
          : tidy(api, member),
      ]),
  );
}
