/**
 * The limits on wrong client credentials at the engine's endpoints. The engine says after its answer that a client has
 * not proved itself, so failures are counted behind it; a credential is looked at only where the limits allow it
 * (`mayLook`).
 *
 * RFC 6749, section 5.2 has no code for "too many": `temporarily_unavailable`, which the same RFC defines for a server
 * that cannot answer now (section 4.1.2.1), says what a client should do. `invalid_client` would have it ask its
 * operator for another secret.
 */
import Provider, { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { CredentialLimits, Presented } from '../../core/kernel/credential-limits.ts';
import { callerOf } from '../../http/caller.ts';
import { failureOf } from '../refusals/record.ts';

export class TooManyAttempts extends errors.OIDCProviderError {
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super(429, 'temporarily_unavailable');
    this.error_description = 'too many attempts, wait a while';
    this.retryAfter = retryAfter;
  }
}

/** The id that a request names and no client has. On the context itself; only requests that name one have it. */
const unknownClient = Symbol('unknown client');
type WithUnknownClient = { [unknownClient]?: string };

/** Of the adapter. The first one is the client that asks. */
export function noteUnknownClient(id: string): void {
  const ctx: WithUnknownClient | undefined = Provider.ctx as object | undefined;
  if (ctx) ctx[unknownClient] ??= id;
}

/** Throws where too many credentials of this client, or from this address, were wrong. */
export function mayLook(limits: CredentialLimits, clientId: string): void {
  const { ctx } = Provider;
  const wait = ctx ? limits.wait(presentedBy(ctx, clientId)) : 0;
  if (wait > 0) throw new TooManyAttempts(wait);
}

/** Behind the engine: counts what has failed, and answers 429 where it is one too many. */
export async function limitAttempts(ctx: KoaContextWithOIDC, limits: CredentialLimits): Promise<void> {
  const error = failureOf(ctx);
  const unknownId = (ctx as WithUnknownClient)[unknownClient] ?? '';
  const { client } = ctx.oidc;
  if (error === undefined) {
    const proved = ctx.status < 400 && client && client.clientAuthMethod !== 'none';
    if (proved) limits.succeeded(presentedBy(ctx, client.clientId));
    return;
  }
  if (error instanceof TooManyAttempts) {
    await limits.failed(presentedBy(ctx, client?.clientId ?? ''));
    ctx.set('Retry-After', String(error.retryAfter));
    return;
  }
  if (!(error instanceof errors.InvalidClientAuth) || !presents(ctx)) return;
  const retryAfter = await limits.failed(presentedBy(ctx, client?.clientId ?? unknownId), client !== undefined);
  if (retryAfter > 0) refuse(ctx, new TooManyAttempts(retryAfter));
}

function refuse(ctx: KoaContextWithOIDC, error: TooManyAttempts): void {
  ctx.status = error.status;
  ctx.remove('WWW-Authenticate');
  ctx.set('Retry-After', String(error.retryAfter));
  ctx.body = { error: error.message, error_description: error.error_description };
}

/** A client that sends nothing to prove itself by has guessed nothing. */
function presents({ headers, oidc: { params } }: KoaContextWithOIDC): boolean {
  return Boolean(headers.authorization ?? params?.client_secret ?? params?.client_assertion);
}

function presentedBy(ctx: KoaContextWithOIDC, clientId: string): Presented {
  return { kind: 'client', clientId, from: callerOf(ctx, 'oauth') };
}
