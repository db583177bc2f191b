/**
 * The engine's storage adapter over the core's ports. A database that is down becomes a 503 in JSON or as a page at
 * every endpoint, never `invalid_client`.
 *
 * No stored byte holds a usable value. A record's key is the SHA-256 of its value, and its payload lacks the value. An
 * interaction also holds parameters and the return address, so it is sealed under a key derived from its own value.
 * Writes of a request are collected in its unit; outside a request (our own pages) they are committed at once.
 */
import Provider, { type Adapter, errors } from 'oidc-provider';
import { Unavailable } from '../../base/errors.ts';
import { type ClientDeps, findClient } from '../clients/clients.ts';
import { type DeviceCodeDeps, deviceCodeCalls } from './device-codes.ts';
import { interactionCalls } from './interactions.ts';
import { type PushedRequestDeps, pushedRequestCalls } from './pushed-requests.ts';
import { type SessionDeps, sessionCalls } from './sessions.ts';
import { grantCalls, tokenCalls } from './tokens.ts';

type AdapterDeps = ClientDeps & SessionDeps & DeviceCodeDeps & Pick<PushedRequestDeps, 'lifetimes'>;

/** The engine asks for one adapter per model name. */
export function createAdapter(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => adapterOf(model, callsOf(model, deps));
}

function callsOf(model: string, deps: AdapterDeps): Partial<Adapter> {
  switch (model) {
    case 'Client':
      return { find: (id) => findClient(deps, id) };
    case 'DeviceCode':
      return deviceCodeCalls(deps);
    case 'Grant':
      return grantCalls(deps);
    case 'Session':
      return sessionCalls(deps);
    case 'Interaction':
      return interactionCalls(deps);
    case 'PushedAuthorizationRequest':
      return pushedRequestCalls(deps);
    default:
      return tokenCalls(deps, model);
  }
}

/** Adds the calls that a model never makes, and turns `Unavailable` into an error of the engine. */
function adapterOf(model: string, calls: Partial<Adapter>): Adapter {
  const guard =
    <A extends unknown[], R>(call: ((...args: A) => Promise<R>) | undefined, name: string) =>
    (...args: A): Promise<R> => {
      if (!call) throw new Error(`the engine does not ${name} a ${model} here`);
      return orUnavailable(() => call(...args));
    };
  return {
    find: guard(calls.find, 'find'),
    findByUid: guard(calls.findByUid, 'find by uid'),
    findByUserCode: guard(calls.findByUserCode, 'find by user code'),
    upsert: guard(calls.upsert, 'save'),
    consume: guard(calls.consume, 'consume'),
    destroy: guard(calls.destroy, 'destroy'),
    revokeByGrantId: guard(calls.revokeByGrantId, 'revoke'),
  };
}

export class TemporarilyUnavailable extends errors.OIDCProviderError {
  constructor(cause: Unavailable) {
    super(503, 'temporarily_unavailable', { cause });
    this.error_description = 'the server cannot answer right now, try again in a moment';
    // The engine hides 5xx errors behind `server_error`. This error says what to do and reveals no internals.
    this.expose = true;
    // No redirect to the application, because the user can retry here.
    Object.assign(this, { allow_redirect: false, error_detail: undefined });
  }
}

/** Runs a storage call and turns `Unavailable` into an error of the engine. */
export async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    giveParameters();
    throw new TemporarilyUnavailable(error);
  }
}

/**
 * The engine reads the session before the parameters, but its error handler requires the parameters if a request may
 * omit redirect_uri. Without this, a session that cannot be read would become a 500.
 */
function giveParameters(): void {
  const { ctx } = Provider;
  if (ctx?.oidc && ctx.oidc.params === undefined) Object.assign(ctx.oidc, { params: { ...ctx.query } });
}
