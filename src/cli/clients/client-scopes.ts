/** Detects scopes that neither an API nor the protocol has, and suggests the nearest one. */
import type { JsonObject } from '../../base/json.ts';
import { identityScopes } from '../../core/kernel/identity-scopes.ts';
import { nearestWord } from '../../core/refusals/nearest.ts';
import type { CommandCore } from '../command.ts';

/** Returns a message, or undefined if every scope is known. */
export function scopeMistake({ scope }: JsonObject, core: Pick<CommandCore, 'apis'>): string | undefined {
  if (typeof scope !== 'string') return undefined;
  const known = new Set([
    ...identityScopes,
    ...core.apis.list().flatMap(({ scopes }) => scopes.map(({ name }) => name)),
  ]);
  const unknown = scope.split(/[\s,]+/).find((name) => name !== '' && !known.has(name));
  if (unknown === undefined) return undefined;
  const nearest = nearestWord(unknown, known);
  const fix = nearest === undefined ? 'Add it to one first: apis add' : `The nearest one is ${nearest}.`;
  return `No API has the scope ${unknown}. ${fix}`;
}
