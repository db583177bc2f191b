/** When users are asked for consent to an application. An operator decides; users can always revoke their consent. */
import type { JsonValue } from '../../base/json.ts';
import type { ConsentRow } from '../stores/consents.ts';

/** Ask at each authorization; ask for what is new; do not ask. */
export const consentPolicies = ['always', 'new', 'never'] as const;
export type ConsentPolicy = (typeof consentPolicies)[number];

/** What a user can consent to. */
export type Asked = Pick<ConsentRow, 'scopes' | 'claims' | 'resources'>;

/** The policy in stored metadata. A client of an earlier version has none, which means `new`. */
export function consentPolicyOf(value: JsonValue | undefined): ConsentPolicy {
  return consentPolicies.find((policy) => policy === value) ?? 'new';
}

/** The union of both. */
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
 * The consent after `asked` is added to `before` and the `declined` scopes are removed. `at`: seconds since the epoch.
 */
export function mergedConsent(
  of: Pick<ConsentRow, 'subject' | 'clientId' | 'snapshot'>,
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
