/**
 * Holds what the server does against what its OpenAPI document says. Any test that has an answer in its hands may ask:
 *
 *     const described = await describedBy(server);
 *     described.check('POST', '/v1/login', answer);   // throws where the document does not know such an answer
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { DocumentedOperation, OpenApi } from '../../src/api/kit/openapi.ts';

export interface AnswerLike {
  readonly status: number;
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

export interface Operation {
  readonly method: string;
  /** As in the document, with its parameters in braces. */
  readonly path: string;
  readonly documented: DocumentedOperation;
}

export interface Described {
  readonly document: OpenApi;
  readonly operations: readonly Operation[];
  /**
   * Throws, in a sentence, where this answer to this request is not in the document: its status, its type or its body.
   */
  check(method: string, path: string, answer: AnswerLike): void;
  /** What the schema of the operation's body has against this one; undefined: nothing. */
  mistakeInBody(method: string, path: string, body: unknown): string | undefined;
  /** The members that the schema of the operation's body names. */
  membersOf(method: string, path: string): string[];
  /** What a named schema has against this value. */
  mistakeIn(schema: string, value: unknown): string | undefined;
}

export async function describedBy(server: { readonly url: string }): Promise<Described> {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApi;
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema(document, 'openapi');
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, documented]) => ({ method: method.toUpperCase(), path, documented })),
  );

  const schemaAt = (...pointer: readonly (string | number)[]): ValidateFunction => {
    const escaped = pointer.map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')));
    const found = ajv.getSchema(`openapi#/paths/${escaped.join('/')}`);
    if (!found) throw new Error(`the document has no schema at ${pointer.join(' ')}`);
    return found;
  };
  const mistakesOf = (validate: ValidateFunction, value: unknown): string | undefined =>
    validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'it' });
  const pathOf = (requested: string): string | undefined => {
    const [bare = ''] = requested.split('?');
    if (document.paths[bare]) return bare;
    return Object.keys(document.paths).find((path) =>
      new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(bare),
    );
  };

  /** The schemas of an address's errors: its API's own, and those that an operation documents. */
  function failuresOf(path: string, row: OpenApi['paths'][string]): ValidateFunction[] {
    const tag = Object.values(row)[0]?.tags[0];
    const api = document.tags
      .find(({ name }) => name === tag)
      ?.externalDocs.url.split('/')
      .at(-1);
    const own = ajv.getSchema(`openapi#/components/schemas/${api}.Failure`);
    const others = Object.entries(row).flatMap(([method, { responses }]) =>
      Object.entries(responses)
        .filter(([status, { content }]) => Number(status) >= 400 && content?.['application/json'])
        .map(([status]) => schemaAt(path, method, 'responses', status, 'content', 'application/json', 'schema')),
    );
    return [...(own ? [own] : []), ...others];
  }

  return {
    document,
    operations,
    check(method, requested, answer) {
      const path = pathOf(requested);
      const fail = (what: string): never => {
        throw new Error(`${method} ${requested}: ${what}\n${answer.status} ${answer.text.slice(0, 500)}`);
      };
      if (path === undefined) {
        if (answer.status !== 404) fail('the document has no such path');
        return;
      }
      const row = document.paths[path] ?? {};
      const asked = method === 'HEAD' ? 'get' : method.toLowerCase();
      const operation = row[asked];
      if (!operation) {
        if (method === 'OPTIONS')
          return answer.status === 204 || answer.status === 200 ? undefined : fail('no OPTIONS');
        if (answer.status !== 405) fail('the document has no such method, so it must be 405');
        if (!headerOf(answer, 'allow')) fail('405 without Allow');
        if (method === 'HEAD') return;
        const body = parsed(answer.text) ?? fail('it is no JSON');
        const mistakes = failuresOf(path, row).map((validate) => mistakesOf(validate, body));
        return mistakes.includes(undefined) ? undefined : fail(mistakes.join('; or '));
      }
      // A GET that changes something takes no HEAD.
      if (method === 'HEAD' && answer.status === 405) return;
      const documented = operation.responses[answer.status] ?? fail('the document has no such status');
      const types = Object.keys(documented.content ?? {});
      const type = headerOf(answer, 'content-type')?.split(';')[0] ?? '';
      if (method === 'HEAD') return;
      if (types.length === 0) {
        if (answer.text !== '') fail('the document has no body here');
        return;
      }
      if (!types.includes(type)) fail(`it is ${type || 'of no type'}; in the document it is ${types.join(' or ')}`);
      if (!documented.content?.[type]?.schema) return;
      const validate = schemaAt(path, asked, 'responses', answer.status, 'content', type, 'schema');
      const mistakes = mistakesOf(validate, parsed(answer.text));
      if (mistakes) fail(mistakes);
    },
    mistakeInBody(method, requested, body) {
      const path = pathOf(requested) ?? '';
      const operation = document.paths[path]?.[method.toLowerCase()];
      const [type] = Object.keys(operation?.requestBody?.content ?? {});
      if (type === undefined) return undefined;
      return mistakesOf(schemaAt(path, method.toLowerCase(), 'requestBody', 'content', type, 'schema'), body);
    },
    membersOf(method, requested) {
      const operation = document.paths[pathOf(requested) ?? '']?.[method.toLowerCase()];
      const [content] = Object.values(operation?.requestBody?.content ?? {});
      const named = String(content?.schema?.$ref ?? '').replace('#/components/schemas/', '');
      const schema = document.components.schemas[named] ?? content?.schema ?? {};
      return Object.keys(schema.properties ?? {});
    },
    mistakeIn(name, value) {
      const validate = ajv.getSchema(`openapi#/components/schemas/${name}`);
      if (!validate) throw new Error(`the document has no schema ${name}`);
      return mistakesOf(validate, value);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headerOf({ headers }: AnswerLike, name: string): string | undefined {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  return value === null || value === undefined ? undefined : String(value);
}
