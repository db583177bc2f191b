/** Options of `clients update` that change single values of the metadata. */
import type { JsonObject, JsonValue } from '../../base/json.ts';
import { mergePatch } from '../../core/clients/client-changes.ts';
import type { Call, Opt } from '../command.ts';
import { UsageError } from '../usage-error.ts';

/** Lists to which one value can be added, or from which one can be removed, by the end of the option's name. */
const lists: Readonly<Record<string, { member: string; value: string; what: string }>> = {
  'redirect-uri': { member: 'redirect_uris', value: 'uri', what: 'a redirect URI' },
  'post-logout-redirect-uri': { member: 'post_logout_redirect_uris', value: 'uri', what: 'a post-logout redirect URI' },
  'grant-type': { member: 'grant_types', value: 'type', what: 'a grant type' },
  contact: { member: 'contacts', value: 'email', what: 'a contact' },
  scope: { member: 'scope', value: 'scope', what: 'a scope' },
};

export const changeOptions: readonly Opt[] = [
  ...Object.entries(lists).flatMap(([name, { value, what }]) => [
    { flags: `--add-${name} <${value}>`, sentence: `Add ${what}.`, many: true } as const,
    { flags: `--remove-${name} <${value}>`, sentence: `Remove ${what}.`, many: true } as const,
  ]),
  {
    flags: '--unset <member>',
    sentence: 'Reset a member of the metadata, such as policy_uri, to its default.',
    many: true,
  },
];

/**
 * Applies the file and the options to the stored metadata; `patch` is merged first (RFC 7396).
 * Throws `UsageError` if an option has no effect.
 */
export function edited(call: Call, patch: JsonObject): (stored: JsonObject) => JsonObject {
  const unset = Object.fromEntries(call.texts('unset').map((member) => [member, null]));
  return (stored) => {
    const merged = mergePatch(stored, { ...patch, ...unset });
    for (const [name, { member }] of Object.entries(lists)) {
      const [adds, removes] = [call.texts(`add-${name}`), call.texts(`remove-${name}`)];
      if (adds.length + removes.length === 0) continue;
      const before = valuesOf(merged[member]);
      for (const value of removes) {
        if (!before.includes(value))
          throw new UsageError(
            `--remove-${name} ${value}: there is no such value. ${member} has: ${before.join(' ') || 'nothing'}`,
          );
      }
      const after = [...new Set([...before, ...adds])].filter((value) => !removes.includes(value));
      if (member !== 'scope') merged[member] = after;
      else if (after.length > 0) merged[member] = after.join(' ');
      // A client without `scope` may request every scope, so removing the last one would allow all.
      else
        throw new UsageError(
          'The last scope cannot be removed, because without scopes every scope is allowed. To allow all: --unset scope',
        );
    }
    return merged;
  };
}

const valuesOf = (value: JsonValue | undefined): string[] => {
  if (typeof value === 'string') return value.split(' ').filter(Boolean);
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
};
