/** What the engine has refused a request for. It says so in an event; the response holds only the public words. */
import type { EventEmitter } from 'node:events';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';

const events = [
  'authorization.error',
  'grant.error',
  'introspection.error',
  'revocation.error',
  'end_session.error',
  'discovery.error',
  'jwks.error',
] as const;

/** On the context itself, as request-unit.ts does it. */
const failure = Symbol('failure');
type WithFailure = { [failure]?: Error };

export function keepFailures(provider: Provider): void {
  for (const event of events) {
    // The events share one shape, which the types spell out for each alone.
    (provider as EventEmitter).on(event, (ctx: KoaContextWithOIDC, error: Error) => {
      (ctx as WithFailure)[failure] = error;
    });
  }
}

/** Undefined where the engine has refused nothing. */
export function failureOf(ctx: object): Error | undefined {
  return (ctx as WithFailure)[failure];
}
