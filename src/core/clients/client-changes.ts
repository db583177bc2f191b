/** How the metadata of a client is changed in part, and what is said of a change in the audit trail. */
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
  // Members of its own, `__proto__` too.
  return Object.fromEntries(merged);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Members that are written out by default, from another one: a change of that one makes them anew. */
const derived: Readonly<Record<string, string>> = {
  response_types: 'grant_types',
  token_endpoint_auth_signing_alg: 'token_endpoint_auth_method',
  loopback_ports: 'token_endpoint_auth_method',
};

/** Members that stay where a replacement leaves them out, and their defaults: a change that takes one out means the default. */
const lasting: JsonObject = { id_token_claims: 'standard', require_pkce: false, loopback_ports: 'registered' };

/** The input for `parseMetadata`: what an edit made of the stored metadata, without what no longer fits and was not edited. */
export function withoutDerived(stored: JsonObject, edited: JsonObject): JsonObject {
  // The server's own note, which is no member that anyone sends.
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

/** Only the members that differ; one that is not there is in neither. */
export function metadataChange(before: JsonObject, after: JsonObject): MetadataChange {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isDeepStrictEqual(before[name], after[name]),
  );
  const only = (metadata: JsonObject): JsonObject =>
    Object.fromEntries(names.flatMap((name) => (metadata[name] === undefined ? [] : [[name, metadata[name]]])));
  return { before: only(before), after: only(after) };
}

/** Empty: nothing was changed. */
export function changedMembers({ before, after }: MetadataChange): string[] {
  return Object.keys({ ...before, ...after }).sort();
}

/** One record of a change, none where nothing was changed. `via`: the entry point. */
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

/** A hundred redirect URIs would make a record of 200 KB. */
const longestValue = 1000;

/** What the audit trail keeps of a change. A value that is long is told by its length; metadata never holds a secret. */
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
    ...{ members: changedMembers(change), before: short(before), after: short(after) },
    ...(ended > 0 && { secrets_dropped: ended }),
    ...(secret !== undefined && { secret_made: true }),
  };
}

/** What is registered and, where something of the request is not used, what (RFC 7591, section 3.2.1). */
export function metadataTold(client: Pick<ClientRecord, 'metadata'>, dropped: readonly string[] = []): JsonObject {
  return { ...client.metadata, ...(dropped.length > 0 && { dropped: [...dropped] }) };
}
