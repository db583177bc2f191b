/** Optional scopes of APIs: what of a request a person has allowed, and what is remembered of it. */
import { nowSeconds } from '../base/clock.ts';
import type { Apis } from '../core/apis.ts';
import type { ConsentRow } from '../core/stores/consents.ts';

/** What is asked for, of whom it is asked apart. */
export type Asked = Pick<ConsentRow, 'scopes' | 'claims' | 'resources'>;

/** Of an optional scope on the page. */
export function fieldOf(identifier: string, scope: string): string {
  return `optional ${scope} ${identifier}`;
}

type Resources = ConsentRow['resources'];

/** What of it the person has left ticked. A browser sends nothing for a box that is not ticked. */
export function chosen(
  asked: Asked,
  form: ReadonlyMap<string, string>,
  apis: Pick<Apis, 'find'>,
): { given: Asked; declined: Resources } {
  const isDeclined = (identifier: string, name: string): boolean => {
    const scope = apis.find(identifier)?.scopes.find((one) => one.name === name);
    return scope?.optional === true && !form.has(fieldOf(identifier, name));
  };
  const pick = (wanted: boolean): Resources =>
    Object.fromEntries(
      Object.entries(asked.resources).flatMap(([identifier, names]) => {
        const picked = names.filter((name) => isDeclined(identifier, name) === wanted);
        return picked.length > 0 ? [[identifier, picked]] : [];
      }),
    );
  return { given: { ...asked, resources: pick(false) }, declined: pick(true) };
}

/** What is remembered from now on. */
export function merged(
  subject: string,
  clientId: string,
  before: ConsentRow | undefined,
  given: Asked,
  declined: Resources,
): ConsentRow {
  const union = (a: readonly string[] = [], b: readonly string[] = []) => [...new Set([...a, ...b])];
  const apis = union(Object.keys(before?.resources ?? {}), Object.keys(given.resources));
  const resources = apis.map((api): [string, string[]] => {
    const names = union(before?.resources[api], given.resources[api]);
    return [api, names.filter((name) => !declined[api]?.includes(name))];
  });
  return {
    subject,
    clientId,
    scopes: union(before?.scopes, given.scopes),
    claims: union(before?.claims, given.claims),
    resources: Object.fromEntries(resources.filter(([, names]) => names.length > 0)),
    updatedAt: nowSeconds(),
  };
}
