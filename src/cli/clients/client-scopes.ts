/** Scopes that no API has and that speak of no person: a slip of the pen, with the nearest one that there is. */
import type { JsonObject } from '../../base/json.ts';
import { identityScopes } from '../../core/kernel/identity-scopes.ts';
import { nearestWord } from '../../core/refusals/nearest.ts';
import type { CommandCore } from '../command.ts';

/** A sentence, or undefined where every scope is one. */
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
