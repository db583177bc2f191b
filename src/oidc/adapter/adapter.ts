/**
 * The engine's storage adapter over the core's ports.
 *
 * No stored byte holds a usable value: a record is kept under the SHA-256 of its value, its payload without the value, and
 * an interaction (whose parameters and return address would hold several) sealed under a key made from its own value.
 * Writes of a request are collected in its unit; outside a request (our own pages) they are committed at once.
 */
import type { Adapter } from 'oidc-provider';
import { type ClientDeps, clientAdapter } from './clients.ts';
import { type GrantDeps, grantAdapter } from './grants.ts';
import { interactionAdapter } from './interactions.ts';
import { type SessionDeps, sessionAdapter } from './sessions.ts';
import { type TokenDeps, tokenAdapter } from './tokens.ts';

export type AdapterDeps = ClientDeps & GrantDeps & SessionDeps & TokenDeps;

/** One adapter object per model name, as the engine asks for them. */
export function createAdapter(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => {
    switch (model) {
      case 'Client':
        return clientAdapter(deps);
      case 'Grant':
        return grantAdapter(deps);
      case 'Session':
        return sessionAdapter(deps);
      case 'Interaction':
        return interactionAdapter(deps);
      default:
        return tokenAdapter(deps, model);
    }
  };
}
