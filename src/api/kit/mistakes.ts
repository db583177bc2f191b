/**
 * Turns a schema's error into one sentence that names the member. A schema's own message, if any, completes the
 * sentence (`must be an array of strings`).
 */
import type { core } from 'zod';
import type { Mistake } from './operation.ts';

type Raw = core.$ZodRawIssue;

export function mistakeIn(part: Mistake['part'], error: core.$ZodError, input: object): Mistake {
  const [issue] = error.issues;
  const path = issue?.path ?? [];
  const member = path.length > 0 ? String(path[0]) : '';
  const missing = path.length === 1 && Reflect.get(input, member) === undefined;
  // For example `contacts.0.email`. The path has names of the schema only, never names from the input.
  const name = path.length > 0 ? path.join('.') : `the ${part}`;
  return { part, member, missing, message: `${name} ${issue?.message ?? 'is not valid'}` };
}

const things: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
  null: 'null',
};

/** The error map for `safeParse`. */
export function wordsOf(issue: Raw): string {
  switch (issue.code) {
    case 'invalid_type': {
      const thing = things[issue.expected] ?? `of the type ${issue.expected}`;
      return issue.input === undefined ? `must be given, as ${thing}` : `must be ${thing}`;
    }
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') {
        return Number(issue.minimum) === 1 ? 'must not be empty' : `must not be shorter than ${issue.minimum}`;
      }
      return `must not be less than ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `must not be longer than ${issue.maximum}`
        : `must not be more than ${issue.maximum}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
    case 'unrecognized_keys':
      return 'has an unknown member';
    default:
      return 'is not valid';
  }
}
