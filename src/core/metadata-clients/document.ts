/**
 * Reads a client's document. What it must have and must not have is checked here; the rest as at a registration
 * (core/clients/metadata/client-metadata). Documents are written for many servers, so what this server does not use is
 * dropped: members, grant types, redirect URIs that it would refuse, and links with mistakes.
 */
import type { JsonObject } from '../../base/json.ts';
import { reservedClientName } from '../clients/client-names.ts';
import { redirectUriKind } from '../clients/metadata/client-uris.ts';

type ReadDocument =
  | { readonly outcome: 'read'; readonly metadata: JsonObject }
  /** `reason`: one printable sentence that does not repeat the document. */
  | { readonly outcome: 'invalid'; readonly reason: string };

interface Source {
  readonly url: string;
  readonly contentType: string;
  readonly body: Buffer;
}

interface Context {
  /** The metadata from an earlier copy: members of an operator stay. */
  readonly previous?: JsonObject | undefined;
  /** Names of this server, which no such client may have. */
  readonly ownNames: readonly string[];
}

/** Section 4.1: a document is public, so it can hold no shared secret. */
const secretMembers = ['client_secret', 'client_secret_expires_at'];
const secretMethods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'];
/** In order of preference, where the document offers several. */
const methods = ['private_key_jwt', 'none'];
/** Left out if they have a mistake. */
const forShow = ['logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'contacts'];

export async function readDocument(source: Source, context: Context): Promise<ReadDocument> {
  const { url, contentType } = source;
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType))
    return invalid('its type is not application/json');
  const document = objectOf(source.body);
  if (document === undefined) return invalid('it is not a JSON object');
  const mistake = ownMistake(document, url, context.ownNames);
  if (mistake !== undefined) return invalid(mistake);
  const uris = (document.redirect_uris as unknown[]).filter(
    (uri) => typeof uri === 'string' && typeof redirectUriKind(uri) === 'string',
  );
  if (uris.length === 0) return invalid('it has no redirect URI that this server accepts');
  return parse({ ...document, redirect_uris: uris, ...repaired(document, uris.map(String)) }, context);
}

function objectOf(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function ownMistake(
  document: Readonly<Record<string, unknown>>,
  url: string,
  ownNames: readonly string[],
): string | undefined {
  const { client_id: id, client_name: name, redirect_uris: uris, token_endpoint_auth_method: method } = document;
  if (id !== url) return 'its client_id is not the address of the document';
  if (typeof name !== 'string' || name.trim() === '') return 'it has no client_name';
  if (!Array.isArray(uris) || uris.length === 0) return 'it has no redirect_uris';
  const secret = secretMembers.find((member) => document[member] !== undefined && document[member] !== null);
  if (secret !== undefined) return `it has a ${secret}, and documents are public`;
  if (secretMethods.some((one) => one === method))
    return 'its token_endpoint_auth_method needs a secret, and documents are public';
  const reserved = reservedClientName(name, ownNames);
  return reserved === undefined ? undefined : `its client_name ${reserved}`;
}

/** Members that documents leave out or set for other servers. */
function repaired(document: Readonly<Record<string, unknown>>, uris: readonly string[]): Record<string, unknown> {
  const {
    token_endpoint_auth_method: method,
    token_endpoint_auth_methods_supported: choices,
    grant_types: grants,
  } = document;
  const kinds = uris.map((uri) => redirectUriKind(uri));
  const native =
    kinds.some((kind) => kind === 'http-loopback' || kind === 'private-use') && !kinds.includes('https-loopback');
  const offered = Array.isArray(choices) ? methods.find((one) => choices.includes(one)) : undefined;
  return {
    // Agents on loopback often say nothing, which would mean `web`.
    application_type: native ? 'native' : 'web',
    // Section 8: a document that names its keys is made to use them.
    token_endpoint_auth_method: methods.some((one) => one === method) ? method : (offered ?? method),
    // Some documents have an empty one, which means none.
    ...(document.scope === '' && { scope: undefined }),
    // Such a client acts for a person.
    ...(Array.isArray(grants) && { grant_types: grants.filter((grant) => grant !== 'client_credentials') }),
  };
}

async function parse(document: Record<string, unknown>, { previous }: Context): Promise<ReadDocument> {
  // Imported on first use, with its schemas, so that the start does not wait for it.
  const { parseMetadata } = await import('../clients/metadata/client-metadata.ts');
  for (;;) {
    const parsed = parseMetadata(document, { by: 'metadata', reviewed: false, ...(previous && { previous }) });
    if (parsed.outcome === 'valid') return { outcome: 'read', metadata: parsed.metadata };
    const [member = ''] = parsed.description.split(' ');
    if (!forShow.includes(member) || document[member] === undefined) return invalid(parsed.description);
    delete document[member];
  }
}

function invalid(why: string): ReadDocument {
  return { outcome: 'invalid', reason: `The document is not valid: ${why}.` };
}
