/** Which redirect URIs a client may name in a request, in place of the engine's own rule. */
import type { Client, Provider } from 'oidc-provider';
import { isLoopbackHost, withoutLoopbackPort } from '../../base/loopback.ts';

/** Both methods are the engine's public ones; it asks them at authorization and at logout. */
export function matchRedirectUris(provider: Provider): void {
  const { prototype } = provider.Client;
  prototype.redirectUriAllowed = function redirectUriAllowed(asked: string) {
    return isAllowed(this, this.redirectUris ?? [], asked);
  };
  prototype.postLogoutRedirectUriAllowed = function postLogoutRedirectUriAllowed(asked: string) {
    return isAllowed(this, this.postLogoutRedirectUris ?? [], asked);
  };
}

/** Character by character (RFC 9700, section 4.1.3), but for the port on this machine (RFC 8252, section 7.3). */
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
