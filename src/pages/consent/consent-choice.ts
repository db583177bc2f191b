/** Optional API scopes: which of them the person has allowed. */
import type { Apis } from '../../core/apis/apis.ts';
import type { Asked } from '../../core/clients/consent-policy.ts';
import type { ConsentRow } from '../../core/stores/consents.ts';

/** The form field of an optional scope. */
export function fieldOf(identifier: string, scope: string): string {
  return `optional ${scope} ${identifier}`;
}

type Resources = ConsentRow['resources'];

/** Splits the request into the allowed scopes and the optional scopes left unticked. Browsers omit unticked boxes. */
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
