/** Every address at which this server answers itself: the gateway's route table must leave them alone. */
import { verifyPaths } from '../gateway/verify.ts';
import { protocolPaths } from '../oidc/provider.ts';

/** What a koa-router leaves on its middleware. */
interface Routed {
  readonly router?: { readonly stack: readonly { readonly path: string | RegExp }[] };
}

/** Mounted in one mode or under one setting only: a route table that is right there must be right everywhere. */
const sometimes: readonly string[] = ['/dev/mails', '/gallery', '/metrics', '/playground'];

/** `middleware`: of the application, routers among it. `aliases`: of the surfaces that are switched on. */
export function ownAddresses(middleware: readonly unknown[], aliases: Iterable<string>): readonly string[] {
  const routed = middleware.flatMap((each) => (each as Routed).router?.stack ?? []).map(({ path }) => path);
  const pattern = routed.find((path) => typeof path !== 'string');
  // Nothing could be said of it, so the gateway could hide it.
  if (pattern !== undefined) throw new Error(`${pattern} is no path: write it as one`);
  return [...(routed as string[]), ...protocolPaths.keys(), ...aliases, ...verifyPaths, ...sometimes];
}
