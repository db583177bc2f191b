/** When the people of an application are asked for their consent. An operator says so; the person always may take it back. */
import type { JsonValue } from '../../base/json.ts';
import type { ConsentRow } from '../stores/consents.ts';

/** Asked at each authorization; asked for what is new; not asked. */
export const consentPolicies = ['always', 'new', 'never'] as const;
export type ConsentPolicy = (typeof consentPolicies)[number];

/** What may be consented to, apart from whose it is. */
export type Asked = Pick<ConsentRow, 'scopes' | 'claims' | 'resources'>;

/** The policy in stored metadata. A client of an earlier version has none: `new` is what it had. */
export function consentPolicyOf(value: JsonValue | undefined): ConsentPolicy {
  return consentPolicies.find((policy) => policy === value) ?? 'new';
}

/** What is in either of them. */
export function together(a: Asked | undefined, b: Asked): Asked {
  const apis = union(Object.keys(a?.resources ?? {}), Object.keys(b.resources));
  return {
    scopes: union(a?.scopes, b.scopes),
    claims: union(a?.claims, b.claims),
    resources: Object.fromEntries(apis.map((api) => [api, union(a?.resources[api], b.resources[api])])),
  };
}

const union = (a: readonly string[] = [], b: readonly string[] = []): string[] => [...new Set([...a, ...b])];

/**
 * What a person has allowed an application once `asked` is added to what they had allowed `before`, and the scopes they have just
 * left out are taken away. `at` in seconds.
 */
export function mergedConsent(
  of: Pick<ConsentRow, 'subject' | 'clientId'>,
  before: Asked | undefined,
  asked: Asked,
  at: number,
  declined: ConsentRow['resources'] = {},
): ConsentRow {
  const all = together(before, asked);
  const left = Object.entries(all.resources).map(([api, names]): [string, string[]] => [
    api,
    names.filter((name) => !declined[api]?.includes(name)),
  ]);
  const resources = Object.fromEntries(left.filter(([, names]) => names.length > 0));
  return { ...of, ...all, resources, updatedAt: at };
}
