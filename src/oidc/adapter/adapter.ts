/**
 * The engine's storage adapter over the core's ports. A database that is down is an error of the engine's own here: 503
 * in JSON or as a page, at every endpoint, never `invalid_client`.
 *
 * No stored byte holds a usable value: a record is kept under the SHA-256 of its value, its payload without the value, and
 * an interaction (whose parameters and return address would hold several) sealed under a key made from its own value.
 * Writes of a request are collected in its unit; outside a request (our own pages) they are committed at once.
 */
import Provider, { type Adapter, errors } from 'oidc-provider';
import { Unavailable } from '../../base/errors.ts';
import { type ClientDeps, findClient } from '../clients/clients.ts';
import { interactionCalls } from './interactions.ts';
import { type SessionDeps, sessionCalls } from './sessions.ts';
import { grantCalls, type TokenDeps, tokenCalls } from './tokens.ts';

type AdapterDeps = ClientDeps & SessionDeps & TokenDeps;

/** One adapter object per model name, as the engine asks for them. */
export function createAdapter(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => adapterOf(model, callsOf(model, deps));
}

function callsOf(model: string, deps: AdapterDeps): Partial<Adapter> {
  switch (model) {
    case 'Client':
      return { find: (id) => findClient(deps, id) };
    case 'Grant':
      return grantCalls(deps);
    case 'Session':
      return sessionCalls(deps);
    case 'Interaction':
      return interactionCalls(deps);
    default:
      return tokenCalls(deps, model);
  }
}

/** Fills in what a model never calls, and words a database that is down for the engine. */
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
    // The engine hides whatever is 5xx behind `server_error`; this one says what to do. It carries nothing from the inside.
    this.expose = true;
    // A redirect would tell the application something while the person could simply try again here.
    Object.assign(this, { allow_redirect: false, error_detail: undefined });
  }
}

/** Runs a storage call and words `Unavailable` for the engine. */
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
 * The engine looks for the session before it reads the parameters, and its error handler takes them for granted where a request
 * may leave redirect_uri out: a session that cannot be read would become a 500.
 */
function giveParameters(): void {
  const { ctx } = Provider;
  if (ctx?.oidc && ctx.oidc.params === undefined) Object.assign(ctx.oidc, { params: { ...ctx.query } });
}
