/** Partial changes of client metadata, and their audit records. */
import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '../../base/json.ts';
import type { Audit } from '../kernel/audit.ts';
import type { Caller } from '../kernel/caller.ts';
import type { ClientRecord } from '../stores/clients.ts';

/** RFC 7396: members replace those of the target, null removes one, objects are merged. Returns a new object. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [name, value] of Object.entries(patch)) {
    const before = merged.get(name);
    if (value === null) merged.delete(name);
    else merged.set(name, isObject(value) ? mergePatch(isObject(before) ? before : {}, value) : value);
  }
  // `Object.fromEntries` makes own members, even of `__proto__`.
  return Object.fromEntries(merged);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Members whose default depends on another member: a change of that one computes the default again. */
const derived: Readonly<Record<string, string>> = {
  response_types: 'grant_types',
  token_endpoint_auth_signing_alg: 'token_endpoint_auth_method',
  loopback_ports: 'token_endpoint_auth_method',
};

/**
 * Members that a replacement keeps if it leaves them out, and their defaults. An edit that removes one means the
 * default.
 */
const lasting: JsonObject = {
  id_token_claims: 'standard',
  require_pkce: false,
  require_pushed_authorization_requests: false,
  loopback_ports: 'registered',
  profile: 'standard',
};

/** The input for `parseMetadata`: the edited metadata, without members that were not edited and no longer fit. */
export function withoutDerived(stored: JsonObject, edited: JsonObject): JsonObject {
  // The server's own note; no request may set it.
  const { unprotected_at: _note, ...input } = edited;
  for (const [member, from] of Object.entries(derived)) {
    const isSame = (name: string) => isDeepStrictEqual(stored[name], edited[name]);
    if (isSame(member) && !isSame(from)) delete input[member];
  }
  for (const [member, value] of Object.entries(lasting))
    if (stored[member] !== undefined && edited[member] === undefined) input[member] = value;
  return input;
}

export interface MetadataChange {
  readonly before: JsonObject;
  readonly after: JsonObject;
}

/** Only the members that differ. A missing member is left out of its side. */
export function metadataChange(before: JsonObject, after: JsonObject): MetadataChange {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  const only = (metadata: JsonObject): JsonObject =>
    Object.fromEntries(names.flatMap((name) => (metadata[name] === undefined ? [] : [[name, metadata[name]]])));
  return { before: only(before), after: only(after) };
}

/** Empty if nothing changed. */
export function changedMembers({ before, after }: MetadataChange): string[] {
  return Object.keys({ ...before, ...after }).sort();
}

/** Writes one record, or none if nothing changed. */
export async function recordChange(audit: Pick<Audit, 'record'>, changed: Changed, caller: Caller): Promise<void> {
  if (changedMembers(changed.change).length === 0) return;
  const detail = { via: caller.via, ...changeDetail(changed) };
  await audit.record('client.updated', { caller, clientId: changed.client.id, detail });
}

interface Changed {
  readonly client: { readonly id: string; readonly version: number };
  readonly change: MetadataChange;
  readonly ended: number;
  readonly secret?: string;
}

/** In characters. A hundred redirect URIs would make a record of 200 KB. */
const longestValue = 1000;

/** The change as the audit trail keeps it, with lengths instead of long values. Metadata never holds a secret. */
function changeDetail({ change, ended, secret, client }: Changed): JsonObject {
  const { before, after } = change;
  const short = (metadata: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(metadata).map(([name, value]) => {
        const { length } = JSON.stringify(value);
        return [name, length > longestValue ? `(${length} characters)` : value];
      }),
    );
  return {
    version: client.version,
    members: changedMembers(change),
    before: short(before),
    after: short(after),
    ...(ended > 0 && { secrets_dropped: ended }),
    ...(secret !== undefined && { secret_made: true }),
  };
}

/** The registered metadata and, if parts of the request are not used, their names (RFC 7591, section 3.2.1). */
export function metadataTold(client: Pick<ClientRecord, 'metadata'>, dropped: readonly string[] = []): JsonObject {
  return { ...client.metadata, ...(dropped.length > 0 && { dropped: [...dropped] }) };
}
