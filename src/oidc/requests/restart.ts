/** The address that begins an authorization request again, from our pages or after a sign-in that is outdated. */
import { type PushedRequestDeps, pushAgain } from '../adapter/pushed-requests.ts';
import { routes } from '../configuration.ts';

export interface RestartDeps {
  readonly issuer: string;
  readonly stores: { readonly engine: PushedRequestDeps['engine'] };
  readonly config: { readonly lifetimes: PushedRequestDeps['lifetimes'] };
}

/** The engine's interaction, or its stored form. */
export interface Begun {
  readonly params: Readonly<Record<string, unknown>>;
  /** The value of the pushed request. The types of the engine leave it out. */
  readonly parJti?: string | undefined;
  /** The person answers for a device, and enters its code again: only the device shows it. */
  readonly deviceCode?: string | undefined;
}

/**
 * `change` adds or replaces parameters. The parameters of a pushed request are in no address: it is pushed again.
 * Throws `Unavailable` for such a request.
 */
export async function restartAddress(
  { issuer, stores, config }: RestartDeps,
  { params, parJti, deviceCode }: Begun,
  change: Readonly<Record<string, string>> = {},
): Promise<string> {
  if (deviceCode !== undefined) return routes.code_verification;
  if (parJti === undefined) return addressOf({ ...params, ...change });
  const { request: _object, request_uri: _uri, ...parameters } = params;
  const deps = { issuer, engine: stores.engine, lifetimes: config.lifetimes };
  const pushed = await pushAgain(deps, parJti, { ...parameters, ...change });
  return addressOf({ client_id: parameters.client_id, request_uri: `urn:ietf:params:oauth:request_uri:${pushed}` });
}

/** The address of the same request; undefined if it was pushed. */
export function plainAddress({ params, parJti, deviceCode }: Begun): string | undefined {
  if (deviceCode !== undefined) return routes.code_verification;
  return parJti === undefined ? addressOf(params) : undefined;
}

function addressOf(params: Begun['params']): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'string' || typeof one === 'number') query.append(name, String(one));
    }
  }
  return `${routes.authorization}?${query}`;
}
