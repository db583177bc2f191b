/**
 * What of the metadata that a client sent is used. Members and values that this server does not know are dropped (RFC 7591,
 * section 2), and named so that the caller who registers the client can be told; members that promise protection are refused.
 */
import type { JsonObject } from '../../base/json.ts';
import { promiseMistake, promises } from './client-promises.ts';

export type Sorted =
  | { readonly given: Record<string, unknown>; readonly dropped: string[] }
  /** Member and what is wrong with it, in one sentence. */
  | { readonly mistake: string };

/** What is offered of the members that are lists of choices. */
export const offered = {
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  response_modes: ['query', 'fragment', 'form_post'],
} as const;

/** Named in answers and warnings: beyond these the rest is only counted. */
const namedMax = 50;

/** `known`: the members that are ever stored. `previous`: at a change, what is stored. */
export function sortMembers(input: object, known: readonly string[], previous: JsonObject = {}): Sorted {
  const given: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const name of Object.keys(input)) {
    const value: unknown = Reflect.get(input, name);
    // RFC 7592, section 2.2: null means the same as leaving the member out.
    if (value === undefined || value === null) continue;
    const mistake = promiseMistake(name, value);
    // A client from before goes on without what it never had: its other members can still be changed.
    if (mistake !== undefined && !isStored(previous, name, value)) return { mistake: `${name} ${mistake}` };
    if (known.includes(name)) given[name] = value;
    else if (mistake !== undefined || !Object.hasOwn(promises, name)) dropped.push(inAscii(name));
  }
  for (const [name, values] of Object.entries(offered)) {
    const asked = given[name];
    if (!Array.isArray(asked)) continue;
    const isOffered = (value: unknown) => typeof value !== 'string' || (values as readonly string[]).includes(value);
    const used = asked.filter(isOffered);
    if (asked.length > 0 && used.length === 0)
      return { mistake: `${name} has none that is offered: ${values.join(', ')}` };
    given[name] = used;
    for (const value of asked) if (!isOffered(value)) dropped.push(`${name} ${inAscii(value)}`);
  }
  if (given.scope === '') {
    // It had some: without any it would have all.
    if (previous.scope !== undefined)
      return { mistake: 'scope is empty, and without it every scope is allowed: remove it for that' };
    delete given.scope;
    dropped.push('scope (it is empty)');
  }
  return { given, dropped: shortened(dropped) };
}

const isStored = (previous: JsonObject, name: string, value: unknown): boolean =>
  Object.hasOwn(previous, name) && JSON.stringify(previous[name]) === JSON.stringify(value);

/** Anyone may send anything, and this is shown in terminals. */
const inAscii = (text: string): string => text.slice(0, 100).replaceAll(/[^\x21-\x7e]/g, '?');

function shortened(names: string[]): string[] {
  const named = [...new Set(names)];
  const more = named.length - namedMax;
  return more > 0 ? [...named.slice(0, namedMax), `and ${more} more`] : named;
}
