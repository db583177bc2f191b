/** A database that is down, worded as an error of the engine: 503 in JSON or as a page, at every endpoint, never `invalid_client`. */
import Provider, { errors } from 'oidc-provider';
import { Unavailable } from '../base/errors.ts';

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
