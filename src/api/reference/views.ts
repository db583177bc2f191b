/** Prepares the OpenAPI document for its pages: one row for each member, with references resolved. */

import type { ViewLocals } from '../../pages/kit/views.ts';
import type { Api } from '../kit/endpoints.ts';
import type { DocumentedOperation, OpenApi, Schema } from '../kit/openapi.ts';
import type { SecurityScheme } from '../kit/operation.ts';

/** A member of a body, or a parameter. */
interface FieldView {
  /** Nested members by their path: `user_data.first_name`. */
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
}

/** What the form that sends a request asks for. */
interface TryView {
  readonly inputs: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header';
    readonly required: boolean;
  }[];
  readonly credentials: readonly {
    /** `header`: the credential is the whole value of this header. */
    readonly kind: 'bearer' | 'basic' | 'header';
    readonly header: string;
  }[];
  /** The operation also answers without credentials. */
  readonly anonymous: boolean;
  readonly body?: { readonly type: string; readonly example: string } | undefined;
  /** The same request for a terminal, with names in capitals for what the reader puts in. */
  readonly curl: string;
}

interface OperationView {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description?: string | undefined;
  /** Accepted authentication, one sentence each. */
  readonly security: readonly string[];
  readonly tryIt: TryView;
  readonly parameters: readonly FieldView[];
  readonly body?: {
    readonly type: string;
    readonly description: string;
    readonly fields: readonly FieldView[];
    readonly example?: string | undefined;
  };
  readonly answers: readonly {
    readonly status: number;
    readonly description: string;
    readonly headers: readonly { readonly name: string; readonly description: string }[];
    /** Set if it is not JSON. */
    readonly type?: string | undefined;
    /** Empty if the body is the API's common error. */
    readonly fields: readonly FieldView[];
    readonly example?: string | undefined;
  }[];
}

declare module '../../pages/kit/views.ts' {
  interface ViewLocals {
    openapi: {
      readonly apis: readonly {
        readonly name: string;
        readonly title: string;
        readonly about: string;
        readonly operations: readonly Pick<OperationView, 'id' | 'method' | 'path' | 'summary'>[];
      }[];
    };
    'openapi-api': {
      readonly title: string;
      readonly about: string;
      /** Further base paths of the same operations. */
      readonly bases: readonly string[];
      /** The common error body. */
      readonly failure: { readonly fields: readonly FieldView[]; readonly example?: string | undefined };
      readonly operations: readonly OperationView[];
      /** Paths at which another API's operation answers. */
      readonly aliases: readonly (Pick<OperationView, 'id' | 'method' | 'path' | 'summary'> & {
        readonly of: string;
        readonly href: string;
      })[];
    };
  }
}

export function overview(document: OpenApi, apis: readonly Api[]): ViewLocals['openapi'] {
  return {
    apis: apis.map((api) => ({
      name: api.name,
      title: api.title,
      about: api.about,
      operations: [...operationsOf(document, api), ...aliasesOf(document, api)].map(({ path, method, operation }) => ({
        id: operation.operationId,
        method,
        path,
        summary: operation.summary,
      })),
    })),
  };
}

export function inFull(document: OpenApi, api: Api, apis: readonly Api[]): ViewLocals['openapi-api'] {
  const failure = `#/components/schemas/${api.name}.Failure`;
  const resolve = resolverOf(document);
  return {
    title: api.title,
    about: api.about,
    bases: (api.bases ?? []).slice(1),
    failure: { fields: fieldsOf({ $ref: failure }, resolve), example: exampleOf({ $ref: failure }, resolve) },
    aliases: aliasesOf(document, api).map(({ path, method, operation, of }) => ({
      id: operation.operationId,
      method,
      path,
      summary: operation.summary,
      of,
      href: `/openapi/${apis.find(({ table }) => table[of])?.name}#${document.paths[of]?.[method.toLowerCase()]?.operationId}`,
    })),
    operations: operationsOf(document, api).map(({ path, method, operation }) => ({
      id: operation.operationId,
      method,
      path,
      summary: operation.summary,
      description: operation.description,
      security: securityOf(document, operation),
      tryIt: tryItOf(document, { method, path, operation }, resolve),
      parameters: (operation.parameters ?? []).map((parameter) => ({
        name: parameter.name,
        type: `${typeOf(parameter.schema, resolve)} (${parameter.in})`,
        required: parameter.required,
        description: parameter.description ?? '',
      })),
      ...bodyOf(operation, resolve),
      answers: answersOf(operation, failure, resolve),
    })),
  };
}

/** Shows the first base path; the others are identical. */
function operationsOf(document: OpenApi, { table, bases: [base = ''] = [] }: Api) {
  return Object.keys(table).flatMap((path) => operationsAt(document, base + path));
}

function aliasesOf(document: OpenApi, { aliases = {} }: Api) {
  return Object.entries(aliases).flatMap(([path, of]) => operationsAt(document, path).map((at) => ({ ...at, of })));
}

function operationsAt(document: OpenApi, path: string) {
  return Object.entries(document.paths[path] ?? {}).map(([method, operation]) => ({
    path,
    method: method.toUpperCase(),
    operation,
  }));
}

function securityOf(document: OpenApi, { security }: DocumentedOperation): string[] {
  return security
    .flatMap((way) => (Object.keys(way).length > 0 ? Object.keys(way) : ['']))
    .map((name) => {
      if (name === '') return 'Or anonymous.';
      const scheme = document.components.securitySchemes[name];
      if (!scheme) return name;
      const header =
        scheme.type === 'apiKey' ? scheme.name : `Authorization: ${scheme.scheme === 'basic' ? 'Basic' : 'Bearer'}`;
      return `${header}. ${scheme.description}`;
    });
}

function tryItOf(
  document: OpenApi,
  { method, path, operation }: { method: string; path: string; operation: DocumentedOperation },
  resolve: Resolve,
): TryView {
  const inputs = (operation.parameters ?? []).map(({ name, in: place, required }) => ({ name, in: place, required }));
  const names = operation.security.flatMap((way) => Object.keys(way));
  const credentials = [...new Set(names)].flatMap((name) => credentialOf(document.components.securitySchemes[name]));
  const [type = ''] = Object.keys(operation.requestBody?.content ?? {});
  const { body } = bodyOf(operation, resolve);
  const sent = body && { type, example: body.example ?? '' };
  const curl = curlOf({ method, address: `${document.servers[0]?.url ?? ''}${path}`, inputs, credentials, body: sent });
  const anonymous = operation.security.length === 0 || operation.security.some((way) => Object.keys(way).length === 0);
  return { inputs, credentials, anonymous, body: sent, curl };
}

function credentialOf(scheme: SecurityScheme | undefined): TryView['credentials'] {
  if (scheme === undefined) return [];
  return scheme.type === 'apiKey'
    ? [{ kind: 'header', header: scheme.name }]
    : [{ kind: scheme.scheme, header: 'Authorization' }];
}

function curlOf({
  method,
  address,
  inputs,
  credentials: [credential],
  body,
}: Pick<TryView, 'inputs' | 'credentials' | 'body'> & { method: string; address: string }): string {
  const capital = (name: string) => name.replace(/\W+/g, '_').toUpperCase();
  const inPath = address.replace(/\{(\w+)\}/g, (_, name: string) => capital(name));
  const query = inputs.filter((input) => input.in === 'query' && input.required);
  const parameters = query.map(({ name }) => `${name}=${capital(name)}`).join('&');
  const secrets = {
    bearer: `-H ${quoted('Authorization: Bearer ACCESS_TOKEN')}`,
    basic: `-u ${quoted('CLIENT_ID:CLIENT_SECRET')}`,
    header: `-H ${quoted(`${credential?.header}: KEY`)}`,
  };
  return [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(inPath + (parameters && `?${parameters}`))}`,
    ...(credential ? [secrets[credential.kind]] : []),
    ...(body ? [`-H ${quoted(`Content-Type: ${body.type}`)}`, `-d ${quoted(body.example)}`] : []),
  ].join(' \\\n  ');
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function bodyOf({ requestBody }: DocumentedOperation, resolve: Resolve): Pick<OperationView, 'body'> {
  const types = Object.keys(requestBody?.content ?? {});
  const [type = ''] = types;
  if (!requestBody) return {};
  const schema = requestBody.content[type]?.schema ?? {};
  const { description } = resolve(schema);
  return {
    body: {
      type: types.join(', '),
      description: typeof description === 'string' ? description : '',
      fields: fieldsOf(schema, resolve),
      example: type === 'application/json' ? exampleOf(schema, resolve) : formOf(resolve(schema)),
    },
  };
}

/** A body that several responses share is shown at the first one, or with the common error. */
function answersOf({ responses }: DocumentedOperation, failure: string, resolve: Resolve): OperationView['answers'] {
  const shown = new Set<unknown>([failure]);
  return Object.entries(responses).map(([status, answer]) => {
    const [[type, content] = []] = Object.entries(answer.content ?? {});
    const schema = content?.schema ?? {};
    const isNew = schema.$ref === undefined || !shown.has(schema.$ref);
    shown.add(schema.$ref);
    return {
      status: Number(status),
      description: answer.description,
      headers: Object.entries(answer.headers ?? {}).map(([name, { description }]) => ({ name, description })),
      type: type === 'application/json' ? undefined : type,
      fields: isNew ? fieldsOf(schema, resolve) : [],
      example: isNew ? exampleOf(schema, resolve) : undefined,
    };
  });
}

type Resolve = (schema: Schema) => Schema;

function resolverOf(document: OpenApi): Resolve {
  return (schema) =>
    typeof schema.$ref === 'string'
      ? (document.components.schemas[schema.$ref.replace('#/components/schemas/', '')] ?? {})
      : schema;
}

function exampleOf(schema: Schema, resolve: Resolve): string | undefined {
  const { examples } = resolve(schema);
  return Array.isArray(examples) ? JSON.stringify(examples[0], null, 2) : undefined;
}

function formOf({ examples }: Schema): string | undefined {
  const [example] = Array.isArray(examples) ? examples : [];
  return (
    example &&
    Object.entries(example)
      .map(([name, value]) => `${name}=${value}`)
      .join('&')
  );
}

/** Nested members become rows of their own: `user_data`, then `user_data.first_name`. */
function fieldsOf(schema: Schema, resolve: Resolve, prefix = ''): FieldView[] {
  const {
    properties = {},
    required = [],
    anyOf = [],
  } = resolve(schema) as {
    properties?: Record<string, Schema>;
    required?: readonly string[];
    anyOf?: readonly Schema[];
  };
  if (anyOf.length > 0) return together(anyOf.map((one) => fieldsOf(one, resolve, prefix)));
  return Object.entries(properties).flatMap(([name, member]) => {
    const { description, items } = resolve(member);
    const field = {
      name: prefix + name,
      type: typeOf(member, resolve),
      required: required.includes(name),
      description: typeof description === 'string' ? description : '',
    };
    const inner = items ? fieldsOf(items as Schema, resolve, `${prefix}${name}[].`) : [];
    return [field, ...fieldsOf(member, resolve, `${prefix}${name}.`), ...inner];
  });
}

/** Merges the members of alternative schemas. */
function together(forms: readonly FieldView[][]): FieldView[] {
  const names = new Set(forms.flat().map(({ name }) => name));
  return [...names].flatMap((name) => {
    const found = forms.flatMap((rows) => rows.filter((row) => row.name === name));
    const [first] = found;
    const type = [...new Set(found.map((row) => row.type))].join(' or ');
    const required = found.length === forms.length && found.every((row) => row.required);
    return first ? [{ ...first, type, required }] : [];
  });
}

function typeOf(schema: Schema, resolve: Resolve): string {
  const { type, items, anyOf, const: only, enum: values } = resolve(schema);
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(' or ');
  if (Array.isArray(anyOf)) return anyOf.map((one) => typeOf(one as Schema, resolve)).join(' or ');
  const types = [type ?? 'any'].flat().map(String);
  const inner = items ? typeOf(items as Schema, resolve) : 'any';
  return types.map((name) => (name === 'array' && inner !== 'any' ? `array of ${inner}` : name)).join(' or ');
}
