/** The rule for redirect URIs in requests, which replaces the engine's own. */
import type { Client, Provider } from 'oidc-provider';
import { isLoopbackHost, withoutLoopbackPort } from '../../base/loopback.ts';

/** Overrides two public methods of the engine, which it calls at authorization and at logout. */
export function matchRedirectUris(provider: Provider): void {
  const { prototype } = provider.Client;
  prototype.redirectUriAllowed = function redirectUriAllowed(asked: string) {
    return isAllowed(this, this.redirectUris ?? [], asked);
  };
  prototype.postLogoutRedirectUriAllowed = function postLogoutRedirectUriAllowed(asked: string) {
    return isAllowed(this, this.postLogoutRedirectUris ?? [], asked);
  };
}

/** Exact string comparison (RFC 9700, section 4.1.3), except for the port on loopback (RFC 8252, section 7.3). */
function isAllowed(client: Client, registered: readonly string[], asked: string): boolean {
  if (isInsecure(asked) && !(client.reviewed === true && client.allow_insecure_redirects === true)) return false;
  if (registered.includes(asked)) return true;
  if (client.loopback_ports !== 'any') return false;
  const bare = withoutLoopbackPort(asked);
  return bare !== undefined && registered.some((uri) => withoutLoopbackPort(uri) === bare);
}

function isInsecure(uri: string): boolean {
  return /^http:/i.test(uri) && !isLoopbackHost(URL.parse(uri)?.hostname ?? '');
}
